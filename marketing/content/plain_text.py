"""Between plain text and HTML: the text part of a message whose author wrote none, and the HTML of one who wrote only text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.utils.html import escape

from marketing.content import liquid
from marketing.content.links import IN_TEXT

HIDDEN = {"style", "script", "head", "title"}
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}
INVISIBLE = re.compile(r"display\s*:\s*none", re.IGNORECASE)
PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n\s*")
BLOCKS = {"p", "div", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "br", "hr"}


class _Reader(HTMLParser):
    """Gathers what is read; inside an element that is not shown it counts how deep it is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []
        self._href = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        style = dict(attrs).get("style") or ""
        if tag not in VOID and (tag in HIDDEN or tag in self._hidden or INVISIBLE.search(style)):
            self._hidden.append(tag)
        elif tag == "a":
            self._href = dict(attrs).get("href") or ""
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            del self._hidden[len(self._hidden) - 1 - self._hidden[::-1].index(tag) :]
        elif tag == "a" and self._href:
            self.parts.append(f" ({self._href})")
            self._href = ""
        elif tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(re.sub(r"\s+", " ", data))


def from_html(html: str) -> str:
    """The words of an HTML body in reading order, links in brackets after their text; Liquid stays as it is."""
    return liquid.around(html, _read)


def to_html(text: str) -> str:
    """Paragraphs with line breaks and links; Liquid stays as it is."""
    return liquid.around(text, _paragraphs)


def _read(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [line.strip() for line in "".join(reader.parts).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _paragraphs(text: str) -> str:
    linked = IN_TEXT.sub(lambda url: f'<a href="{url[0]}">{url[0]}</a>', escape(text.strip()))
    parts = PARAGRAPH_BREAK.split(linked)
    return "\n".join(f"<p>{part.strip().replace(chr(10), '<br>')}</p>" for part in parts)
