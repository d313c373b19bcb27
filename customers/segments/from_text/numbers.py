"""Numbers as people write them: 5k, two, a dozen, twenty-five, one and a half, 2.5 million."""

from __future__ import annotations

from decimal import Decimal

from customers.segments.from_text.phrase import Phrase

_ONES = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {
    word: value * 10
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2
    )
}
_SCALES = {
    "dozen": 12,
    "hundred": 100,
    "thousand": 1_000,
    "grand": 1_000,
    "million": 1_000_000,
}
_WORD = "|".join([*_ONES, *_TENS])
_SCALE = "|".join(_SCALES)


def number(phrase: Phrase) -> Decimal | None:
    """The number at the cursor."""
    if phrase.take("half(?: of)?(?: an?| the)?(?= dozen| hundred| thousand| million)"):
        found = Decimal("0.5")
    elif phrase.take("(?:a |the )?couple(?: of)?"):
        return Decimal(2)
    elif phrase.take("(?:an? )?single(?= (?:order|purchase|visit|time|email|message))"):
        return Decimal(1)
    elif phrase.sees(rf"an? (?:{_SCALE})"):
        phrase.take("an?")
        found = Decimal(1)
    elif digits := phrase.take(r"\d+(?:\.\d+)?"):
        found = Decimal(digits[0])
    elif phrase.sees(_WORD):
        found = _in_words(phrase)
    else:
        return None
    if phrase.take("and a half"):
        found += Decimal("0.5")
    while scale := phrase.take(_SCALE):
        found *= _SCALES[scale[0]]
    return found


def _in_words(phrase: Phrase) -> Decimal:
    """Up to 99; larger ones by their scales."""
    tens = phrase.take("|".join(_TENS))
    if tens is None:
        ones = phrase.take("|".join(_ONES))
        assert ones is not None
        return Decimal(_ONES[ones[0]])
    joined = phrase.take(rf"(?:- )?(?P<ones>{'|'.join(list(_ONES)[1:10])})")
    return Decimal(_TENS[tens[0]] + (_ONES[joined["ones"]] if joined else 0))
