"""Turn HTML into the text part of a message, and plain text into HTML. Liquid stays as it is."""

from __future__ import annotations

import re

from django.utils.html import escape

from marketing.content import links
from marketing.content.tokenizer import (
    Attribute,
    Kind,
    Token,
    tokenize,
    tokenize_text,
    unescape_attribute,
    unescape_text,
)
from marketing.content.visibility import Readers, with_readers

TABLE_COLUMNS = re.compile(r"\bcols\s*:\s*[\w.\[\]]+")
PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n\s*")
LINES = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "br",
        "center",
        "div",
        "dl",
        "dt",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "ol",
        "p",
        "section",
        "table",
        "tr",
        "ul",
    ]
)
"""Elements that begin and end a line."""
LITERAL_LIQUID = re.compile(r"\{[{%]")
ISLAND = "\x00"
"""The placeholder of a piece of Liquid while the space around it is put in order."""


def from_html(html: str) -> str:
    """Return the words of an HTML body in reading order, as most mail programs show them, each link's address after its text."""
    writer = _Writer()
    for token, readers in with_readers(tokenize(html)):
        writer.write(token, is_shown=Readers.OTHERS in readers)
    return writer.text()


def to_html(text: str) -> str:
    """Return the text as HTML with paragraphs, line breaks and links."""
    islands: list[str] = []

    def escaped(start: int, end: int) -> str:
        pieces = []
        for token in tokenize_text(text[start:end]):
            pieces.append(ISLAND if token.is_liquid else escape(token.source.replace(ISLAND, "")))
            islands.extend([token.source] if token.is_liquid else [])
        return "".join(pieces)

    text = text.strip()
    pieces: list[str] = []
    place = 0
    for start, end in links.spans_in_text(text):
        if links.WEB.match(text[start:end]):
            pieces += (
                escaped(place, start),
                f'<a href="{escaped(start, end)}">{escaped(start, end)}</a>',
            )
            place = end
    pieces.append(escaped(place, len(text)))
    paragraphs = PARAGRAPH_BREAK.split("".join(pieces))
    return _filled(
        "\n".join(f"<p>{each.strip().replace(chr(10), '<br>')}</p>" for each in paragraphs), islands
    )


class _Writer:
    """Writes down what is read of HTML."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._islands: list[str] = []
        self._link: tuple[Token, Attribute] | None = None
        self._is_raw = False

    def write(self, token: Token, *, is_shown: bool) -> None:
        """Add what the token shows. Tags of Liquid stay wherever they stand: others end them, or need what they assign."""
        if token.kind is Kind.TAG or (token.kind is Kind.OUTPUT and is_shown):
            self._is_raw = token.name == "raw" or (self._is_raw and token.name != "endraw")
            self._keep(_without_table(token))
        elif token.kind is Kind.TEXT and is_shown:
            self._say(re.sub(r"\s+", " ", unescape_text(token.source)))
        elif token.kind is Kind.START and is_shown:
            self._start(token)
        elif token.kind is Kind.END and is_shown:
            self._end(token)
        else:
            self._keep_tags(token)

    def text(self) -> str:
        lines = "".join(self._pieces).split("\n")
        text = "\n".join(re.sub(r" +", " ", line).strip() for line in lines)
        return _filled(re.sub(r"\n{3,}", "\n\n", text).strip(), self._islands)

    def _start(self, token: Token) -> None:
        shown = None
        if token.name == "a":
            shown = _attribute(token, "href")
            self._link = (token, shown) if shown and not shown.value.startswith("#") else None
        elif token.name == "img":
            shown = _attribute(token, "alt")
            self._say_value(token, shown)
        self._keep_tags(token, but=shown)
        if token.name == "li":
            self._pieces.append("\n- ")
        elif token.name in {"td", "th"}:
            self._pieces.append(" ")
        elif token.name in LINES:
            self._pieces.append("\n")

    def _end(self, token: Token) -> None:
        self._keep_tags(token)
        if token.name == "a" and self._link:
            self._pieces.append(" (")
            if self._link[1].value.strip().startswith("//"):  # as the page, which a text has not
                self._pieces.append("https:")
            self._say_value(*self._link, space="%20")
            self._pieces.append(")")
            self._link = None
        elif token.name in LINES:
            self._pieces.append("\n")

    def _say_value(self, token: Token, attribute: Attribute | None, space: str = " ") -> None:
        if attribute is None:
            return
        for piece in tokenize_text(attribute.value.strip()):
            if piece.is_liquid:
                self._keep(piece.source)
            else:
                self._say(
                    re.sub(
                        r"\s+", space, links.LINE_BREAKS.sub("", unescape_attribute(piece.source))
                    )
                )

    def _say(self, text: str) -> None:
        """Add text; what only looks like Liquid once it is unescaped stays text."""
        text = text.replace(ISLAND, "")
        if not self._is_raw and LITERAL_LIQUID.search(text):
            self._keep(f"{{% raw %}}{text}{{% endraw %}}")
        else:
            self._pieces.append(text)

    def _keep_tags(self, token: Token, *, but: Attribute | None = None) -> None:
        for inside in token.liquid:
            place = inside.start - token.start
            if inside.kind is Kind.TAG and not (but and but.start <= place < but.end):
                self._keep(inside.source)

    def _keep(self, liquid: str) -> None:
        self._islands.append(liquid)
        self._pieces.append(ISLAND)


def _without_table(token: Token) -> str:
    """Return a tag of Liquid; `tablerow`, which writes HTML, as the loop that it is."""
    if token.name == "tablerow":
        return TABLE_COLUMNS.sub("", token.source.replace("tablerow", "for", 1))
    return token.source.replace("endtablerow", "endfor", 1)


def _attribute(token: Token, name: str) -> Attribute | None:
    return next((each for each in token.attributes if each.name == name and each.value), None)


def _filled(text: str, islands: list[str]) -> str:
    waiting = iter(islands)
    return re.sub(ISLAND, lambda _match: next(waiting), text)
