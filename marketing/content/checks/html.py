"""The HTML of an e-mail: its links, its images, its size, and what mail clients take out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.conf import settings
from django.utils.translation import gettext as _

from marketing.content.checks import addresses
from marketing.content.checks.finding import Finding, error, warning

GMAIL_CLIPS_AT = 102 * 1024
"""Bytes of HTML after which Gmail hides the rest behind "View entire message"."""
REMOVED = frozenset({"script", "form", "iframe", "object", "embed", "video", "audio", "svg"})
"""Elements that most mail clients take out (caniemail.com)."""
UNREAD = frozenset({"style", "script", "title", "head"})


@dataclass(slots=True)
class Link:
    url: str
    text: str = ""


@dataclass(slots=True)
class Page:
    """What matters of the HTML of a message. Links to our own site are left out: it is what the operator made it."""

    links: list[Link] = field(default_factory=list)
    images: list[dict[str, str | None]] = field(default_factory=list)
    elements: set[str] = field(default_factory=set)
    words: str = ""


def read(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.page.words = re.sub(r"\s+", " ", "".join(reader.text)).strip()
    return reader.page


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
        yield warning("removed_element", _("Mail clients take <%s> out.") % element)


def _links(page: Page) -> Iterator[Finding]:
    for link in {link.url: link for link in page.links}.values():
        yield from addresses.findings(link.url, shown=link.text)


def _images(page: Page) -> Iterator[Finding]:
    for image in page.images:
        address = (image.get("src") or "").strip()
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


def _ours(url: str | None) -> bool:
    return f"{url}/".startswith(f"{settings.SITE_URL}/")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.text: list[str] = []
        self._unread = 0
        self._link: Link | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.add(tag)
        given = dict(attrs)
        if tag in UNREAD:
            self._unread += 1
        elif tag == "a" and "href" in given and not _ours(given["href"]):
            self._link = Link(given["href"] or "")
            self.page.links.append(self._link)
        elif tag == "img":
            self.page.images.append(given)

    def handle_endtag(self, tag: str) -> None:
        if tag in UNREAD:
            self._unread = max(0, self._unread - 1)
        elif tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._unread:
            return
        self.text.append(data)
        if self._link is not None:
            self._link.text += data
