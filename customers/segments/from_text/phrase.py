"""The words of a description, and a cursor over them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

_CONTRACTIONS = {
    "cannot": "can not",
    "can't": "can not",
    "won't": "will not",
    "who've": "who have",
    "we've": "we have",
    "i've": "i have",
    "who's": "who is",
    "that's": "that is",
    "they've": "they have",
    "i'd": "i want",
    "i'm": "i am",
    "let's": "show",
    "havent": "have not",
    "hasnt": "has not",
    "didnt": "did not",
    "dont": "do not",
    "doesnt": "does not",
    "isnt": "is not",
    "arent": "are not",
    "twenties": "20s",
    "thirties": "30s",
    "forties": "40s",
    "fifties": "50s",
    "sixties": "60s",
    "seventies": "70s",
    "eighties": "80s",
}
_PIECE = re.compile(
    r"""
    "(?P<double>[^"]+)" | “(?P<curly>[^”]+)” | (?<![^\s(,])'(?P<single>[^']+)'(?![^\s),.])
    | (?P<date>\d{4}-\d{2}-\d{2} | \d{1,2}[./]\d{1,2}[./]\d{4})
    | (?P<decade>\d{2,4}'?s)\b
    | (?P<ordinal>\d+(?:st|nd|rd|th))\b
    | (?P<number>
        \d{1,3}(?:\.\d{3})+(?:,\d+)? | \d+,\d{1,2}
        | \d{1,3}(?:[ '\u00a0\u2009\u202f]\d{3})+(?:[.,]\d{1,2})?
        | \d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?
        | \d+(?:\.\d+)?
    )(?!\d|[.,']\d)(?:[ ]?(?P<scale>k|m|mn|bn)(?![^\W_])|(?![^\W\d_]))
    | (?P<joined>\d+)(?=[^\W\d_])
    | (?P<misgrouped>\d[\d.,']*\d)
    | (?P<email>e[-\s]mails?)\b
    | (?P<or>and/or\b | (?<=\w)/(?=[^\W\d]))
    | (?P<handle>(?<!\w)[@/][\w./-]*\w | /\d+)
    | (?P<word>[^\W\d_][\w]*(?:[.'][^\W_]\w*)*)
    | (?P<sign>>=|=>|<=|=<|!=|<>|[<>=≥≤+%$€£¥₹₽₺₩₪₫฿₴₦₱(),;:&.\-])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SCALES = {"k": 1_000, "m": 1_000_000, "mn": 1_000_000, "bn": 1_000_000_000}
_SIGNS = {"≥": ">=", "=>": ">=", "≤": "<=", "=<": "<=", "<>": "!=", ";": ",", ".": ","}
_LIKE_ASCII = str.maketrans("’‘–—−_", "''--- ")


@dataclass(frozen=True, slots=True)
class Token:
    """A word: `text` as written, `word` as the grammar reads it, and its position in the description."""

    text: str
    word: str
    start: int
    end: int
    quoted: bool = False


def tokens(description: str) -> list[Token]:
    """Split a description into words: contractions are split, numbers are plain digits, a quotation is one word."""
    return list(_tokens(description.translate(_LIKE_ASCII)))


def words(name: str) -> tuple[str, ...]:
    """Split a name as `tokens` does, without signs."""
    return tuple(token.word for token in tokens(name) if token.word not in {",", "-", "&"})


def _tokens(line: str) -> Iterator[Token]:
    for found in _PIECE.finditer(line):
        quotation = found["double"] or found["curly"] or found["single"]
        if quotation:
            yield Token(quotation, quotation.casefold(), *found.span(), quoted=True)
            continue
        for word in _matched(found):
            yield Token(found[0], word, *found.span())


def _matched(found: re.Match[str]) -> list[str]:
    written = found[0].casefold()
    if found["number"]:
        digits = _plain(found["number"])
        scale = _SCALES.get((found["scale"] or "").casefold(), 1)
        return [f"{Decimal(digits) * scale:f}"]
    if found["email"]:
        return ["emails" if written.endswith("s") else "email"]
    if found["or"]:
        return [written.removeprefix("and/")]
    if found["decade"]:
        return [written.replace("'", "")]
    if found["word"]:
        return _word(written)
    return [_SIGNS.get(written, written)]


def _plain(number: str) -> str:
    """Return 1,000.50, 1.000,50, 1 000,50, 1'000.50 and 1,00,000.00 without groups, with a decimal point."""
    digits = re.sub(r"[ '\u00a0\u2009\u202f]", "", number)
    if re.fullmatch(r"\d{1,3}(\.\d{3})+(,\d+)?|\d+,\d{1,2}", digits):
        return digits.replace(".", "").replace(",", ".")
    return digits.replace(",", "")


def _word(written: str) -> list[str]:
    if written in _CONTRACTIONS:
        return _CONTRACTIONS[written].split()
    if written.endswith("n't"):
        return [written.removesuffix("n't"), "not"]
    return [written.removesuffix("'s")]


RuleJSON = dict[str, Any]

END = Token("", "", 0, 0)


class LeftOut(Exception):
    """The words up to the cursor say what no rule can: a percentage of something that is counted."""


class Name(NamedTuple):
    """A name of the data in the description: its kind, the stored value and its number of words."""

    kind: str
    value: str
    length: int


class Phrase:
    """Words and a cursor. A reader moves the cursor past the part it reads, or changes nothing and returns None."""

    def __init__(
        self, tokens: Sequence[Token], names: Mapping[int, Sequence[Name]], today: date
    ) -> None:
        self.tokens = tokens
        self.names = names
        self.today = today
        self.at = 0
        self.depth = 0
        """Of the condition that is read."""
        self.notes: dict[str, None] = {}
        self.unread: list[Token] = []
        self.doubtful: list[Token] = []
        """Words that are read as a name which the data does not have; they may be misspelled."""
        self.again: Callable[[Phrase], RuleJSON | None] | None = None
        """Reads a part without its verb after a connective: the hats of "bought shoes but not hats"."""
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
        """Return the word at the cursor, or END."""
        return END if self.is_over else self.tokens[self.at]

    @property
    def is_quoted(self) -> bool:
        return not self.is_over and self.token.quoted

    def sees(self, pattern: str) -> re.Match[str] | None:
        """Match whole words at the cursor; a pattern that ends with a space needs another word after it."""
        if self.is_over:
            return None
        return _compiled(pattern).match(self._line, self._starts[self.at])

    def take(self, pattern: str) -> re.Match[str] | None:
        """Match whole words at the cursor and move past them."""
        found = self.sees(pattern)
        if found is None or found.end() == found.start():
            return None
        ends_with_space = found[0].endswith(" ")
        self.at = self._index[found.end() + (0 if ends_with_space else 1)]
        return found

    def passes(self, pattern: str) -> re.Match[str] | None:
        """`take` for a pattern that may match no words at all."""
        if taken := self.take(pattern):
            return taken
        found = _compiled(pattern).match(self._line, min(self._starts[self.at], len(self._line)))
        return found if found and not found[0] else None

    def before(self, pattern: str) -> bool:
        """Return whether the word before the cursor matches."""
        return self.at > 0 and bool(re.fullmatch(pattern, self.tokens[self.at - 1].word))

    def name(self, *kinds: str) -> Name | None:
        """Return the longest name of the kinds at the cursor; the first kind wins among equals."""
        here = [name for name in self.names.get(self.at, ()) if name.kind in kinds]
        return max(here, key=lambda name: (name.length, -kinds.index(name.kind)), default=None)

    def take_name(self, *kinds: str) -> Name | None:
        found = self.name(*kinds)
        if found is not None:
            self.at += found.length
        return found

    def leave_out(self, start: int) -> None:
        """List the words from `start` to the cursor as not understood."""
        self.unread += self.tokens[start : self.at]

    def note(self, text: str) -> None:
        """Add a sentence to the explanation."""
        self.notes[text] = None

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Restore the cursor and the notes at the end of the block, unless the attempt succeeds."""
        attempt = Attempt()
        at, notes, again = self.at, dict(self.notes), self.again
        unread, doubtful = list(self.unread), list(self.doubtful)
        yield attempt
        if not attempt.kept:
            self.at, self.notes, self.again = at, notes, again
            self.unread, self.doubtful = unread, doubtful


class Attempt:
    def __init__(self) -> None:
        self.kept = False

    def keep(self) -> None:
        self.kept = True


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})(?:(?= |$)|(?<= )|\A)")
