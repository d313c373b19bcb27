"""Compile MJML (mjml.io) to HTML that all mail programs show alike."""

from __future__ import annotations

import re

from django.conf import settings
from django.utils.translation import gettext as _
from mjml import mjml2html

from marketing.content.liquid import ContentError
from marketing.content.tokenizer import VOID, Kind, Token, line_of, tokenize, tokenize_text
from marketing.content.visibility import outside_comments

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
NOT_ASCII = re.compile(r"[^\n\r\t -\[\]-~]+")
"""Characters that the compiler would write into alt and href as an escape of Rust's, `\\u{a0}`."""
WORD = re.compile(r"zqliquid(\d+)zq")
"""The placeholder of a piece of Liquid, or of text that is not ASCII, while the compiler is at work."""
BARE_LIQUID = re.compile(
    r"(?P<before>(?:</mj-[\w-]+>|<mj-(?:body|wrapper|section|group|column|hero)\b[^>]*>|/>)\s*)"
    r"(?P<liquid>(?:zqliquid\d+zq\s*)+)"
    r"(?=<mj-|</mj-(?:body|wrapper|section|group|column|hero)>)"
)
"""Liquid between elements, which MJML takes only inside mj-raw."""


def to_html(source: str) -> str:
    """Return the HTML of an MJML document, Liquid as it stood. Raises ContentError with the line of what is wrong.

    Without a `lang` of its own the message is in the site's language, so that screen readers pronounce it.
    """
    check(source)
    kept: list[str] = []

    def keep(piece: str) -> str:
        kept.append(piece)
        return f"zqliquid{len(kept) - 1}zq"

    words = "".join(
        keep(token.source)
        if token.is_liquid
        else NOT_ASCII.sub(lambda match: keep(match[0]), token.source)
        # The compiler reads no CR inside mj-head (mrml, "unexpected token").
        for token in tokenize_text(source.replace("\r\n", "\n"))
    )
    wrapped = BARE_LIQUID.sub(r"\g<before><mj-raw>\g<liquid></mj-raw>", words)
    try:
        html = mjml2html(wrapped, disable_comments=False)
    except ValueError as error:
        raise ContentError(_("MJML could not read it: %s") % error) from error
    html = html.replace('<html lang="und"', f'<html lang="{settings.LANGUAGE_CODE}"', 1)
    return WORD.sub(lambda match: kept[int(match[1])], html)


def check(source: str) -> None:
    """Raise ContentError for elements that are unknown, misplaced or not closed, with their line."""
    checker = _Checker(source)
    for token in outside_comments(tokenize(source)):
        checker.read(token)
    checker.finish()


class _Checker:
    """Follows which elements are open; MJML wants every one closed, those of HTML too."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._open: list[Token] = []
        self._has_body = False

    def read(self, token: Token) -> None:
        if token.kind is Kind.START:
            self._place(token)
            if token.name not in VOID and not token.source.endswith("/>"):
                self._open.append(token)
        elif token.kind is Kind.END and token.name not in VOID:
            if not self._open:
                raise self._wrong(_("</%s> closes nothing") % token.name, token)
            opened = self._open.pop()
            if opened.name != token.name:
                raise self._wrong(_("<%s> is not closed") % opened.name, opened)

    def finish(self) -> None:
        if self._open:
            raise self._wrong(_("<%s> is not closed") % self._open[-1].name, self._open[-1])
        if not self._has_body:
            raise ContentError(_("MJML begins with <mjml> and has an <mj-body> in it"))

    def _place(self, token: Token) -> None:
        tag, parent = token.name, self._open[-1].name if self._open else ""
        if not parent and tag != "mjml":
            raise self._wrong(_("MJML begins with <mjml>, not with <%s>") % tag, token)
        self._has_body = self._has_body or tag == "mj-body"
        if tag == "mj-include":
            raise self._wrong(
                _("Files are not included; use a snippet: {% render 'name' %}"), token
            )
        if not tag.startswith("mj-") or tag in ANYWHERE or parent == "mj-attributes":
            return
        if tag not in PARENTS:
            raise self._wrong(_("MJML has no <%s>") % tag, token)
        if parent not in PARENTS[tag] | {"mj-class"}:
            wanted = _(" or ").join(
                f"<{name}>" for name in sorted(PARENTS[tag] - {"mj-attributes"})
            )
            raise self._wrong(
                _("<%(tag)s> stands in %(wanted)s, not in <%(parent)s>")
                % {"tag": tag, "wanted": wanted, "parent": parent},
                token,
            )

    def _wrong(self, what: str, token: Token) -> ContentError:
        return ContentError(what, line=line_of(self._source, token))
