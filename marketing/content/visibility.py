"""Find which tokens of HTML each mail program shows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from enum import Flag

from marketing.content.tokenizer import VOID, Kind, Token

HIDDEN = frozenset({"style", "script", "noscript", "head", "title", "template"})
IN_HEAD = frozenset(
    {"base", "link", "meta", "noscript", "script", "style", "template", "title", "xml"}
)
"""Elements that may stand in a head; any other ends it, with or without an end tag."""
INVISIBLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?<![-\w])color\s*:\s*transparent"
    r"|(?<![-\w])opacity\s*:\s*0?\.?0+\s*(?:!|;|$)",
    re.IGNORECASE,
)
HIDDEN_IN_OUTLOOK = re.compile(r"mso-hide\s*:\s*all", re.IGNORECASE)
OVERFLOW_HIDDEN = re.compile(r"overflow\s*:\s*hidden", re.IGNORECASE)
NO_HEIGHT = re.compile(
    r"(?<![-\w])(?:max-)?height\s*:\s*0+(?:px|em|pt|%)?\s*(?:!|;|$)", re.IGNORECASE
)
CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
CSS_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
SELECTOR = re.compile(r"([\w-]*)((?:[.#][\w-]+)+)")
"""An element with classes and ids; what stands before it in a selector only narrows it."""

Selector = tuple[str, frozenset[str]]
"""The element, "" for any, and its classes and ids as `.name` and `#name`."""


class Readers(Flag):
    """Mail programs by what they make of conditional comments."""

    NOBODY = 0
    OUTLOOK = 1
    OTHERS = 2
    ALL = 3


def with_readers(
    tokens: Iterable[Token], hidden_by: Collection[Selector] = ()
) -> Iterator[tuple[Token, Readers]]:
    """Yield each token with the mail programs that show it, as far as its elements, conditional comments and these selectors say."""
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
        if Readers.OTHERS in readers:
            _follow(token, hidden, hides=_hides_itself(token, hidden_by))
        if Readers.OUTLOOK in readers:
            style = token.get("style") or ""
            _follow(token, hidden_in_outlook, hides=HIDDEN_IN_OUTLOOK.search(style) is not None)
        if hidden:
            readers = Readers.NOBODY
        yield token, readers & Readers.OTHERS if hidden_in_outlook else readers


def hiding_selectors(tokens: Iterable[Token]) -> list[Selector]:
    """Return the selectors of style sheets that hide something, on some screen at least."""
    sheets = []
    in_style = False
    for token in tokens:
        if token.name == "style":
            in_style = token.kind is Kind.START
        elif in_style and token.kind in {Kind.TEXT, Kind.COMMENT}:
            sheets.append(token.source)
    rules = CSS_RULE.findall(CSS_COMMENT.sub("", "".join(sheets)))
    hiding = [selectors for selectors, declarations in rules if _hides(declarations)]
    last_parts = [(each.split() or [""])[-1] for each in ",".join(hiding).split(",")]
    return [
        (found[1].lower(), frozenset(re.findall(r"[.#][\w-]+", found[2])))
        for each in last_parts
        if (found := SELECTOR.fullmatch(each))
    ]


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


def _hides_itself(token: Token, hidden_by: Collection[Selector]) -> bool:
    if token.get("hidden") is not None or _hides(token.get("style") or ""):
        return True
    names = {f".{each}" for each in (token.get("class") or "").split()}
    names |= {f"#{token.get('id')}"}
    return any(element in {"", token.name} and wanted <= names for element, wanted in hidden_by)


def _hides(style: str) -> bool:
    is_clipped = OVERFLOW_HIDDEN.search(style) and NO_HEIGHT.search(style)
    return bool(is_clipped or INVISIBLE.search(style))
