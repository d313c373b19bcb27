"""Find which tokens of HTML each mail program shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Flag

from marketing.content.tokenizer import VOID, Kind, Token

HIDDEN = frozenset({"style", "script", "head", "title", "template"})
IN_HEAD = frozenset(
    {"base", "link", "meta", "noscript", "script", "style", "template", "title", "xml"}
)
"""Elements that may stand in a head; any other ends it, with or without an end tag."""
INVISIBLE = re.compile(r"display\s*:\s*none", re.IGNORECASE)


class Readers(Flag):
    """Mail programs by what they make of conditional comments."""

    NOBODY = 0
    OUTLOOK = 1
    OTHERS = 2
    ALL = 3


def with_readers(tokens: Iterable[Token]) -> Iterator[tuple[Token, Readers]]:
    """Yield each token with the mail programs that show it, as far as its elements and conditional comments say."""
    conditions: list[Readers] = []
    hidden: list[str] = []
    for token in tokens:
        if token.kind is Kind.CONDITION:
            conditions.append(_readers_of(token))
        elif token.kind is Kind.CONDITION_END and conditions:
            conditions.pop()
        readers = Readers.ALL
        for each in conditions:
            readers &= each
        if Readers.OTHERS in readers:
            _follow(token, hidden)
        yield token, Readers.NOBODY if hidden else readers


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


def _follow(token: Token, hidden: list[str]) -> None:
    """Keep up which hidden elements are open."""
    name = token.name
    if token.kind is Kind.START:
        if hidden == ["head"] and name not in IN_HEAD:
            hidden.clear()
        is_hidden = name in HIDDEN or name in hidden or INVISIBLE.search(token.get("style") or "")
        if is_hidden and name not in VOID and not token.source.endswith("/>"):
            hidden.append(name)
    elif token.kind is Kind.END and name in hidden:
        del hidden[len(hidden) - 1 - hidden[::-1].index(name) :]
    elif token.kind is Kind.TEXT and hidden == ["head"] and not token.source.isspace():
        hidden.clear()
