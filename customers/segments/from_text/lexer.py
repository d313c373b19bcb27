"""A description → its words, as written and as they are matched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_CONTRACTIONS = {
    "cannot": "can not",
    "can't": "can not",
    "won't": "will not",
    "who've": "who have",
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
}
_PIECE = re.compile(
    r"""
    "(?P<double>[^"]+)" | “(?P<curly>[^”]+)” | (?<![^\s(,])'(?P<single>[^']+)'(?![^\s),.])
    | (?P<date>\d{4}-\d{2}-\d{2} | \d{1,2}[./]\d{1,2}[./]\d{4})
    | (?P<decade>\d{2,4}'?s)\b
    | (?P<ordinal>\d+(?:st|nd|rd|th))\b
    | (?P<number>
        (?P<european>\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+,\d{1,2})(?![\d.])
        | \d+(?:[,\u202f]\d{3})*(?:\.\d+)?
    )(?P<scale>k|m|mn|bn)?(?![^\W\d_])
    | (?P<joined>\d+)(?=[^\W\d_])
    | (?P<email>e[-\s]mails?)\b
    | (?P<handle>[@/][\w./-]*\w)
    | (?P<word>[^\W\d_][\w]*(?:[.'][^\W_]\w*)*)
    | (?P<sign>>=|=>|<=|=<|!=|<>|[<>=≥≤+%$€£¥(),;:&.\-])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SCALES = {"k": 1_000, "m": 1_000_000, "mn": 1_000_000, "bn": 1_000_000_000}
_SIGNS = {"≥": ">=", "=>": ">=", "≤": "<=", "=<": "<=", "<>": "!=", ";": ",", ".": ","}
_LIKE_ASCII = str.maketrans("’‘–—−_", "''--- ")


@dataclass(frozen=True, slots=True)
class Token:
    """One word: `text` as it was written, `word` as the grammar reads it, and where it stands in the description."""

    text: str
    word: str
    start: int
    end: int
    quoted: bool = False


def tokens(description: str) -> list[Token]:
    """The words of a description: contractions are taken apart, numbers are plain digits, quotations are one word."""
    return list(_tokens(description.translate(_LIKE_ASCII)))


def words(name: str) -> tuple[str, ...]:
    """A name as the grammar sees it: the words of `tokens`, without signs."""
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
        digits = _plain(found["number"], is_european=bool(found["european"]))
        scale = _SCALES.get((found["scale"] or "").casefold(), 1)
        return [f"{Decimal(digits) * scale:f}"]
    if found["email"]:
        return ["emails" if written.endswith("s") else "email"]
    if found["decade"]:
        return [written.replace("'", "")]
    if found["word"]:
        return _word(written)
    return [_SIGNS.get(written, written)]


def _plain(number: str, *, is_european: bool) -> str:
    """1,000.50 and 1.000,50 alike are 1000.50."""
    if is_european:
        return number.replace(".", "").replace(",", ".")
    return re.sub(r"[,\u202f]", "", number)


def _word(written: str) -> list[str]:
    if written in _CONTRACTIONS:
        return _CONTRACTIONS[written].split()
    if written.endswith("n't"):
        return [written.removesuffix("n't"), "not"]
    return [written.removesuffix("'s")]
