"""Find which tokens of HTML each mail program shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Flag
from types import MappingProxyType

from marketing.content.style_sheets import Declared, Style, inline_style
from marketing.content.tokenizer import VOID, Kind, Token

NO_STYLE = Style({})

HIDDEN = frozenset({"style", "script", "noscript", "head", "title", "template"})
IN_HEAD = frozenset(
    {"base", "link", "meta", "noscript", "script", "style", "template", "title", "xml"}
)
"""Elements that may stand in a head; any other ends it, with or without an end tag."""
ZERO = re.compile(r"[-+]?(?:0|0?\.0+|0+\.0*)(?:[a-z]+|%)?")
FAR_AWAY = re.compile(r"-\d{3,}(?:\.\d+)?(?:px|pt)|-\d{2,}(?:\.\d+)?r?em|-\d{3,}%")
"""A distance that moves an element out of every screen."""
CLIPPED = re.compile(
    r"rect\(\s*0[a-z]*[\s,]+0[a-z]*[\s,]+0[a-z]*[\s,]+0[a-z]*\s*\)|inset\(\s*(?:100|[5-9]\d)%\s*\)"
)
SCALED_AWAY = re.compile(r"scale(?:3d|x|y)?\(\s*0(?:\.0+)?\s*[,)]")


class Readers(Flag):
    """Mail programs by what they make of conditional comments."""

    NOBODY = 0
    OUTLOOK = 1
    OTHERS = 2
    ALL = 3


def with_readers(
    tokens: Iterable[Token], styles: Mapping[int, Style] = MappingProxyType({})
) -> Iterator[tuple[Token, Readers]]:
    """Yield each token with the mail programs that show it, as far as its elements, conditional comments and styles say.

    `styles` are those of style_sheets.styles_of(); an element without one has that of its own attribute.
    """
    conditions: list[Readers] = []
    hidden: list[str] = []
    hidden_in_outlook: list[str] = []
    for token in tokens:
        if token.kind is Kind.CONDITION:
            conditions.append(_readers_of(token))
        elif token.kind is Kind.CONDITION_END and conditions:
            conditions.pop()
        readers = Readers.ALL
        for each in conditions:
            readers &= each
        style = NO_STYLE
        if token.kind is Kind.START:
            style = styles.get(token.start) or inline_style(token)
        if Readers.OTHERS in readers:
            _follow(token, hidden, hides=token.get("hidden") is not None or _hides(style))
        if Readers.OUTLOOK in readers:
            hides = style.declared.get("mso-hide") == "all"
            _follow(token, hidden_in_outlook, hides=hides)
        if hidden:
            readers = Readers.NOBODY
        yield token, readers & Readers.OTHERS if hidden_in_outlook else readers


def outside_comments(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield the tokens that are not in a conditional comment which most mail programs skip."""
    is_comment = False
    for token in tokens:
        is_comment = token.hides or (is_comment and token.kind is not Kind.CONDITION_END)
        if not is_comment:
            yield token


def _readers_of(condition: Token) -> Readers:
    in_outlook = ("mso" in condition.name) != ("!" in condition.name)
    readers = Readers.OUTLOOK if in_outlook else Readers.NOBODY
    return readers if condition.hides else readers | Readers.OTHERS


def _follow(token: Token, hidden: list[str], *, hides: bool) -> None:
    """Keep up which hidden elements are open; `hides` is whether this token begins one."""
    name = token.name
    if token.kind is Kind.START:
        if hidden == ["head"] and name not in IN_HEAD:
            hidden.clear()
        is_hidden = name in HIDDEN or name in hidden or hides
        if is_hidden and name not in VOID and not token.source.endswith("/>"):
            hidden.append(name)
    elif token.kind is Kind.END and name in hidden:
        del hidden[len(hidden) - 1 - hidden[::-1].index(name) :]
    elif token.kind is Kind.TEXT and hidden == ["head"] and not token.source.isspace():
        hidden.clear()


def _hides(style: Style) -> bool:
    """Return whether an element is not shown, on some screen at least."""
    return any(map(_is_hidden, (style.declared, *style.elsewhere)))


def _is_hidden(declared: Declared) -> bool:
    def is_zero(*names: str) -> bool:
        return any(ZERO.fullmatch(declared.get(name, "")) for name in names)

    def matches(pattern: re.Pattern[str], *names: str) -> bool:
        return any(pattern.search(declared.get(name, "")) for name in names)

    is_clipped = declared.get("overflow", "").startswith("hidden") and is_zero(
        "height", "max-height", "width", "max-width"
    )
    is_moved = declared.get("position") in {"absolute", "fixed"} and matches(
        FAR_AWAY, "left", "top", "right", "bottom"
    )
    return (
        "none" in declared.get("display", "").split()
        or declared.get("visibility") in {"hidden", "collapse"}
        or is_zero("opacity")
        or is_clipped
        or is_moved
        or matches(FAR_AWAY, "text-indent", "margin-left", "margin-top")
        or matches(CLIPPED, "clip", "clip-path")
        or matches(SCALED_AWAY, "transform")
    )
