"""A description with a place in it: what the clauses of the grammar read from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from customers.segments.from_text.lexer import Token

Rule = dict[str, Any]

END = Token("", "", 0, 0)


class Name(NamedTuple):
    """Something of the data that stands in the description: its kind, the stored value and how many words it takes."""

    kind: str
    value: str
    length: int


class Phrase:
    """The words and a cursor. Whatever reads a part moves the cursor behind it, or leaves all as it was and answers None."""

    def __init__(
        self, tokens: Sequence[Token], names: Mapping[int, Sequence[Name]], today: date
    ) -> None:
        self.tokens = tokens
        self.names = names
        self.today = today
        self.at = 0
        self.notes: dict[str, None] = {}
        self.unread: list[Token] = []
        self.again: Callable[[Phrase], Rule | None] | None = None
        """Reads what is left out after a connective: the hats of "bought shoes but not hats"."""
        self._line = " ".join(token.word.replace(" ", "\u00a0") for token in tokens)
        self._starts = [0]
        for token in tokens:
            self._starts.append(self._starts[-1] + len(token.word) + 1)
        self._index = {start: index for index, start in enumerate(self._starts)}

    @property
    def is_over(self) -> bool:
        return self.at >= len(self.tokens)

    @property
    def token(self) -> Token:
        """The word at the cursor; an empty one at the end."""
        return END if self.is_over else self.tokens[self.at]

    @property
    def is_quoted(self) -> bool:
        return not self.is_over and self.token.quoted

    def sees(self, pattern: str) -> re.Match[str] | None:
        """The match of whole words at the cursor; a pattern that ends with a space wants another word to follow."""
        if self.is_over:
            return None
        return _compiled(pattern).match(self._line, self._starts[self.at])

    def take(self, pattern: str) -> re.Match[str] | None:
        """`sees`, and moves behind what it saw."""
        found = self.sees(pattern)
        if found is None or found.end() == found.start():
            return None
        ends_with_space = found[0].endswith(" ")
        self.at = self._index[found.end() + (0 if ends_with_space else 1)]
        return found

    def before(self, pattern: str) -> bool:
        """Whether the word before the cursor is such a one."""
        return self.at > 0 and bool(re.fullmatch(pattern, self.tokens[self.at - 1].word))

    def name(self, *kinds: str) -> Name | None:
        """The longest name of one of the kinds at the cursor, the kinds in order of preference."""
        here = [name for name in self.names.get(self.at, ()) if name.kind in kinds]
        return max(here, key=lambda name: (name.length, -kinds.index(name.kind)), default=None)

    def take_name(self, *kinds: str) -> Name | None:
        found = self.name(*kinds)
        if found is not None:
            self.at += found.length
        return found

    def note(self, text: str) -> None:
        """Something that the reader must be told about how this was read."""
        self.notes[text] = None

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Goes back to where it was, and forgets what was noted, unless the attempt is kept."""
        attempt = Attempt()
        at, notes, unread, again = self.at, dict(self.notes), list(self.unread), self.again
        yield attempt
        if not attempt.kept:
            self.at, self.notes, self.unread, self.again = at, notes, unread, again


class Attempt:
    def __init__(self) -> None:
        self.kept = False

    def keep(self) -> None:
        self.kept = True


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})(?:(?= |$)|(?<= ))")
