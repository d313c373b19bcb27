"""Read amounts: numbers with their comparison, such as "more than 5k", "3+" or "between $100 and $500"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from babel import Locale
from django.conf import settings
from django.utils.translation import gettext as _

from customers.segments.from_text.phrase import Phrase

_ONES_IN_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_TENS_IN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ONES = {word: value for value, word in enumerate(_ONES_IN_WORDS.split())}
_TENS = {word: value * 10 for value, word in enumerate(_TENS_IN_WORDS.split(), 2)}
_SCALES = {
    "dozen": 12, "hundred": 100, "thousand": 1_000, "grand": 1_000, "million": 1_000_000, "billion": 1_000_000_000,
    "lakhs": 100_000, "lakh": 100_000, "lacs": 100_000, "lac": 100_000, "crores": 10_000_000, "crore": 10_000_000,
}  # fmt: skip
_WORD = "|".join([*_ONES, *_TENS])
_SCALE = "|".join(_SCALES)
_BEFORE = (
    (r"(?:is |are |being )?not (?:more|over|above|greater|higher|older)(?: th[ae]n)?|no (?:more|higher|greater|older) th[ae]n", "<="),
    (r"not (?:less|fewer|under|below|lower|younger)(?: th[ae]n)?|no (?:less|fewer|lower|younger) th[ae]n", ">="),
    (r"(?:at|equal to) or (?:above|over|greater th[ae]n|more th[ae]n)", ">="),
    (r"(?:at|equal to) or (?:below|under|less th[ae]n|fewer th[ae]n)", "<="),
    (r"(?:greater|more|bigger|higher|larger|over|above) (?:than )?or equal(?: to)?|>=", ">="),
    (r"(?:less|fewer|smaller|lower|under|below) (?:than )?or equal(?: to)?|<=", "<="),
    (r"at (?:the )?(?:very )?least|at a minimum(?: of)?|(?:a )?min(?:imum)?(?: of)?|no less th[ae]n", ">="),
    (r"at (?:the )?(?:very )?most|at a maximum(?: of)?|(?:a )?max(?:imum)?(?: of)?|up to|not exceeding", "<="),
    (r"(?:more|greater|bigger|higher|larger|older|better) th[ae]n|over|above|exceed(?:s|ing|ed)?|in excess of|upwards? of|north of|>", ">"),
    (r"(?:less|fewer|smaller|lower|younger|worse) th[ae]n|under|below|beneath|short of|south of|<", "<"),
    (r"!=|(?:is )?not (?:equal to|exactly)|other th[ae]n", "!="),
    (r"exactly|precisely|equal to|equals|equalling|just|only|=", "="),
)  # fmt: skip
_AFTER = (
    (r"\+|(?:or|and) (?:more(?! th[ae]n)|above|over|higher|up|upwards?|older|greater|better)|plus|upwards?|minimum|at least", ">="),
    (r"exactly|precisely|only(?! (?:on|in|if|when|from))", "="),
    (r"(?:or|and) (?:less(?! th[ae]n)|fewer(?! th[ae]n)|below|under|lower|younger|worse)|maximum|at (?:the )?most|at a maximum|max", "<="),
)  # fmt: skip
_CURRENCIES = {
    "USD": r"\$|(?:us )?dollars?|bucks|us \$",
    "EUR": "€|euros?",
    "GBP": "£|pounds?(?: sterling)?|quid",
    "JPY": "¥|yen",
    "INR": r"₹|rupees?|rs(?: ,)?",
    "CNY": "yuan|rmb",
    "CHF": "(?:swiss )?francs?|sfr",
    "SEK": "kr|kronor|krona",
    "DKK": "kroner|krone",
    "PLN": "zł|zlotys?",
    "CZK": "kč",
    "HUF": "forints?",
    "BRL": r"r \$|reais",
    "CAD": r"(?:c|ca|can) \$|canadian dollars?",
    "AUD": r"(?:a|au) \$|australian dollars?",
    "RUB": "₽|rou?bles?",
    "TRY": "₺|liras?",
    "KRW": "₩",
    "ILS": "₪|shekels?",
    "VND": "₫",
    "THB": "฿|baht",
    "UAH": "₴|hryvnias?",
    "NGN": "₦|naira",
    "PHP": "₱",
    "MXN": "pesos?",
    "ZAR": "rand",
}
"""Code → signs and names. A code in capitals is known without them."""
_CODES = frozenset(Locale("en").currencies)


@dataclass(frozen=True, slots=True)
class Amount:
    """An operator of the rule language with one or two numbers; `is_plain` without a comparison."""

    operator: str
    numbers: tuple[Decimal, ...]
    is_money: bool = False
    is_percent: bool = False
    is_plain: bool = False

    @property
    def json(self) -> Any:
        values = [
            int(each) if each == each.to_integral_value() else float(each) for each in self.numbers
        ]
        return values if self.operator == "between" else values[0]

    def scaled(self, by: Decimal) -> Amount:
        return replace(self, numbers=tuple(each * by for each in self.numbers))


AT_LEAST_ONE = Amount(">=", (Decimal(1),))
ZERO = Amount("=", (Decimal(0),))


def number(phrase: Phrase) -> Decimal | None:
    """Read a number: 5k, two, a dozen, twenty-five, one and a half, 2.5 million."""
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
    """Read a number up to 99; the scales make larger ones."""
    tens = phrase.take("|".join(_TENS))
    if tens is None:
        ones = phrase.take("|".join(_ONES))
        assert ones is not None
        return Decimal(_ONES[ones[0]])
    joined = phrase.take(rf"(?:- )?(?P<ones>{'|'.join(list(_ONES)[1:10])})")
    return Decimal(_TENS[tens[0]] + (_ONES[joined["ones"]] if joined else 0))


def amount(phrase: Phrase) -> Amount | None:
    """Read an amount; its comparison may stand before or after the number."""
    with phrase.attempt() as attempt:
        found = _range(phrase) or _compared(phrase)
        if found is not None:
            attempt.keep()
        return found


def with_afterthought(phrase: Phrase, found: Amount) -> Amount:
    """Read the comparison after the noun: "3 orders or more"."""
    if found.is_plain and (after := _comparison(phrase, _AFTER)):
        return replace(found, operator=after, is_plain=False)
    return found


def times(phrase: Phrase) -> Amount | None:
    """Read a frequency: once, at least twice, more than three times, 3+ times."""
    with phrase.attempt() as attempt:
        operator = _comparison(phrase, _BEFORE)
        adverb = phrase.take("once|twice|thrice|a single time")
        if adverb:
            value = {"twice": 2, "thrice": 3}.get(adverb[0], 1)
            attempt.keep()
            given = operator or _comparison(phrase, _AFTER)
            return Amount(given or "=", (Decimal(value),), is_plain=not given)
    with phrase.attempt() as attempt:
        found = amount(phrase)
        if found is not None and phrase.take("(?:different |separate )?(?:times?|occasions?|x)"):
            attempt.keep()
            return with_afterthought(phrase, found)
    return None


def _compared(phrase: Phrase) -> Amount | None:
    if some := phrase.take("several|a few|quite a few|multiple"):
        least = 2 if some[0] == "multiple" else 3
        phrase.note(
            _("“%(word)s” is read as at least %(least)s.") % {"word": some[0], "least": least}
        )
        return Amount(">=", (Decimal(least),))
    operator = _comparison(phrase, _BEFORE)
    value = _one(phrase)
    if value is None:
        return None
    given = operator or _comparison(phrase, _AFTER)
    return replace(value, operator=given or "=", is_plain=not given)


def _range(phrase: Phrase) -> Amount | None:
    with phrase.attempt() as attempt:
        opened = phrase.take(
            "(?:(?:somewhere|anywhere|anything) )?(?:between|from)|in the range(?: of)?"
        )
        least = _one(phrase)
        if least is None:
            return None
        joined = phrase.take("and|to|-|up to|through") if opened else phrase.take("to|-")
        greatest = _one(phrase) if joined else None
        if greatest is None or greatest.numbers < least.numbers:
            return None
        phrase.take("inclusive(?:ly)?|included")
        attempt.keep()
        return Amount(
            "between",
            (*least.numbers, *greatest.numbers),
            is_money=least.is_money or greatest.is_money,
            is_percent=least.is_percent or greatest.is_percent,
        )


def _one(phrase: Phrase) -> Amount | None:
    currency = _currency(phrase)
    value = number(phrase)
    if value is None:
        return None
    is_percent = bool(phrase.take("%|percent|per cent"))
    currency = _currency(phrase) or currency
    if currency and currency != settings.CURRENCY:
        phrase.note(
            _("Amounts are in %(site)s; %(given)s is not converted.")
            % {"site": settings.CURRENCY, "given": currency}
        )
    return Amount("=", (value,), is_money=bool(currency), is_percent=is_percent)


def _currency(phrase: Phrase) -> str | None:
    """Read a currency: its sign, its name, or its ISO 4217 code in capitals; lower case for common ones."""
    code = phrase.token.text
    if code in _CODES or code in {"usd", "eur", "gbp"}:
        phrase.at += 1
        return code.upper()
    return next((code for code, names in _CURRENCIES.items() if phrase.take(names)), None)


def _comparison(phrase: Phrase, table: tuple[tuple[str, str], ...]) -> str | None:
    return next((operator for pattern, operator in table if phrase.take(pattern)), None)
