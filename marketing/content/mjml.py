"""MJML (mjml.io), the markup that becomes HTML which every mail client shows alike."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.utils.translation import gettext as _
from mjml import mjml2html

from marketing.content import liquid
from marketing.content.liquid import ContentError

IN_HEAD = (
    "mj-attributes",
    "mj-breakpoint",
    "mj-font",
    "mj-html-attributes",
    "mj-preview",
    "mj-style",
    "mj-title",
)
IN_COLUMN = (
    "mj-accordion",
    "mj-button",
    "mj-carousel",
    "mj-divider",
    "mj-image",
    "mj-navbar",
    "mj-social",
    "mj-spacer",
    "mj-table",
    "mj-text",
)
PARENTS: dict[str, set[str]] = {
    "mj-head": {"mjml"},
    "mj-body": {"mjml"},
    "mj-wrapper": {"mj-body"},
    "mj-section": {"mj-body", "mj-wrapper"},
    "mj-hero": {"mj-body", "mj-wrapper"},
    "mj-group": {"mj-section"},
    "mj-column": {"mj-section", "mj-group"},
    "mj-accordion-element": {"mj-accordion"},
    "mj-accordion-title": {"mj-accordion-element"},
    "mj-accordion-text": {"mj-accordion-element"},
    "mj-carousel-image": {"mj-carousel"},
    "mj-navbar-link": {"mj-navbar"},
    "mj-social-element": {"mj-social"},
    **{tag: {"mj-head"} for tag in IN_HEAD},
    **{tag: {"mj-column", "mj-hero"} for tag in IN_COLUMN},
}
"""Where an element may stand, by MJML's documentation; inside mj-attributes each may."""
ANYWHERE = frozenset({"mjml", "mj-raw", "mj-all", "mj-class", "mj-selector", "mj-html-attribute"})
VOID = frozenset(
    {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)

UNTOUCHED = re.compile(rf"{liquid.TOKENS.pattern}|[^\n\r\t -\[\]-~]+", re.DOTALL)
"""Liquid, and what is not plain ASCII: the compiler writes that into alt and href as an escape of Rust's, `\\u{a0}`."""
BARE_LIQUID = re.compile(
    r"(?P<before>(?:</mj-[\w-]+>|<mj-(?:body|wrapper|section|group|column|hero)\b[^>]*>|/>)\s*)"
    r"(?P<liquid>(?:zqliquid\d+zq\s*)+)"
    r"(?=<mj-|</mj-(?:body|wrapper|section|group|column|hero)>)"
)
"""Liquid between elements, which MJML takes only inside mj-raw."""


def to_html(source: str) -> str:
    """The HTML of an MJML document, Liquid as it stood. Raises ContentError with the line of what is wrong."""
    check(source)
    # The compiler reads no CR inside mj-head (mrml, "unexpected token").
    return liquid.around(source.replace("\r\n", "\n"), _compile, pieces=UNTOUCHED)


def check(source: str) -> None:
    """Raises ContentError for elements that are unknown, misplaced or not closed, with their line."""
    reader = _Checker()
    reader.feed(liquid.blanked(source))
    reader.close()
    reader.finish()


def _compile(source: str) -> str:
    wrapped = BARE_LIQUID.sub(r"\g<before><mj-raw>\g<liquid></mj-raw>", source)
    try:
        return mjml2html(wrapped, disable_comments=False)
    except ValueError as error:
        raise ContentError(_("MJML could not read it: %s") % error) from error


class _Checker(HTMLParser):
    """Follows which element is open; MJML wants every one closed, those of HTML too."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._open: list[tuple[str, int]] = []
        self._has_body = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._place(tag)
        if tag not in VOID:
            self._open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._place(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open:
            raise self._wrong(_("</%s> closes nothing") % tag)
        opened, line = self._open.pop()
        if opened != tag:
            raise self._wrong(_("<%s> is not closed") % opened, line)

    def finish(self) -> None:
        if self._open:
            raise self._wrong(_("<%s> is not closed") % self._open[-1][0], self._open[-1][1])
        if not self._has_body:
            raise self._wrong(_("MJML begins with <mjml> and has an <mj-body> in it"))

    def _place(self, tag: str) -> None:
        parent = self._open[-1][0] if self._open else ""
        if not parent and tag != "mjml":
            raise self._wrong(_("MJML begins with <mjml>, not with <%s>") % tag)
        self._has_body = self._has_body or tag == "mj-body"
        if tag == "mj-include":
            raise self._wrong(_("Files are not included; use a snippet: {% render 'name' %}"))
        if not tag.startswith("mj-") or tag in ANYWHERE or parent == "mj-attributes":
            return
        if tag not in PARENTS:
            raise self._wrong(_("MJML has no <%s>") % tag)
        if parent not in PARENTS[tag] | {"mj-class"}:
            wanted = _(" or ").join(
                f"<{name}>" for name in sorted(PARENTS[tag] - {"mj-attributes"})
            )
            raise self._wrong(
                _("<%(tag)s> stands in %(wanted)s, not in <%(parent)s>")
                % {"tag": tag, "wanted": wanted, "parent": parent}
            )

    def _wrong(self, what: str, line: int | None = None) -> ContentError:
        return ContentError(what, line=line or self.getpos()[0])
