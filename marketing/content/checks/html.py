"""Check the HTML of an e-mail: links, images, size, and elements that mail programs remove."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from marketing.content.checks import addresses
from marketing.content.checks.finding import Finding, error, warning
from marketing.content.tokenizer import Kind, tokenize, unescape_attribute, unescape_text
from marketing.content.visibility import outside_comments, with_readers

GMAIL_CLIPS_AT = 102 * 1024
"""Bytes of HTML after which Gmail hides the rest behind "View entire message"."""
REMOVED = frozenset({"script", "form", "iframe", "object", "embed", "video", "audio", "svg"})
"""Elements that most mail clients take out (caniemail.com)."""


@dataclass(slots=True)
class Link:
    url: str
    text: str = ""


@dataclass(slots=True)
class Page:
    """The parts of the HTML that are checked; links to our own site are left out."""

    links: list[Link] = field(default_factory=list)
    images: list[dict[str, str]] = field(default_factory=list)
    elements: set[str] = field(default_factory=set)
    words: str = ""


def read(html: str) -> Page:
    """Return what most mail programs show of the HTML."""
    page = Page()
    words: list[str] = []
    link: Link | None = None
    for token, readers in with_readers(outside_comments(tokenize(html))):
        if token.kind is Kind.START:
            page.elements.add(token.name)
            address = token.get("href")
            if token.name in {"a", "area"} and address is not None:
                link = Link(unescape_attribute(address))
                page.links += [] if _ours(link.url) else [link]
            elif token.name == "img":
                page.images.append(
                    {each.name: unescape_attribute(each.value) for each in token.attributes}
                )
        elif token.kind is Kind.END and token.name == "a":
            link = None
        elif token.kind in {Kind.TEXT, Kind.OUTPUT} and readers:
            text = unescape_text(token.source)
            words.append(text)
            if link is not None:
                link.text += text
    page.words = re.sub(r"\s+", " ", "".join(words)).strip()
    return page


def findings(page: Page, html: str) -> Iterator[Finding]:
    yield from _links(page)
    yield from _images(page)
    size = len(html.encode())
    if size > GMAIL_CLIPS_AT:
        yield warning(
            "oversize",
            _("It has %s KB of HTML: Gmail hides what comes after 102 KB.") % (size // 1024),
        )
    for element in sorted(page.elements & REMOVED):
        yield warning("removed_element", _("Mail programs remove <%s>.") % element)


def _links(page: Page) -> Iterator[Finding]:
    for link in {link.url: link for link in page.links}.values():
        yield from addresses.findings(link.url, shown=link.text)


def _images(page: Page) -> Iterator[Finding]:
    for image in page.images:
        address = (image.get("src", "")).strip()
        if "alt" not in image:
            yield warning(
                "no_alt",
                _("The image %s has no alternative text: it is lost where images are off.")
                % address[:80],
            )
        if _ours(address):
            continue
        if address.startswith("data:"):
            yield warning("data_image", _("Gmail does not show images inside the message (data:)."))
        elif address.startswith("http://"):
            yield warning("http_image", _("The image %s is not encrypted.") % address[:80])
        elif not address.startswith(("https://", "//", "cid:", "{{", "{%")):
            yield error("broken_image", _("The image “%s” has no web address.") % address[:80])


def _ours(url: str) -> bool:
    return f"{url}/".startswith(f"{settings.SITE_URL}/")
