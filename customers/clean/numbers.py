"""Read numbers as products and countries write them: with signs of thousands, a decimal comma, marks of currencies."""

from __future__ import annotations

import re
from decimal import Decimal

import pycountry

SIGNS = (".", ",")
MIXED = "mixed"
"""The decimal sign of a column that has both: numbers such as 1.234, which both could have written, are refused."""

PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?")
_MARK = r"(?:[A-Z]{3}|[A-Z]{0,3}[$€£¥₹₽₺₴₩₪₫฿₦₱]|kr\.?|zł|Kč|Ft|Fr\.?|lei|лв\.?|руб\.?|Rs?\.?|RM|Rp\.?|S/\.?)"
_MARKED = re.compile(
    rf"(?P<sign>[-+−–]?)\s*(?P<before>{_MARK})?\s*(?P<sign_>[-+−–]?)(?P<number>\(?.*?\)?)\s*(?P<behind>[-−]?)\s*(?P<after>{_MARK})?",
    re.IGNORECASE,
)
CURRENCIES = {
    "$": ("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN", "TWD", "ARS", "CLP", "COP"),
    "¥": ("JPY", "CNY"),
    "kr": ("SEK", "NOK", "DKK", "ISK"),
    "fr": ("CHF", "XOF", "XAF", "XPF"),
    "lei": ("RON", "MDL"),
    "r": ("ZAR",),
    "rs": ("INR", "PKR", "LKR", "NPR", "MUR"),
    "€": ("EUR",),
    "£": ("GBP",),
    "₹": ("INR",),
    "₽": ("RUB",),
    "₺": ("TRY",),
    "₴": ("UAH",),
    "₩": ("KRW",),
    "₪": ("ILS",),
    "₫": ("VND",),
    "฿": ("THB",),
    "₦": ("NGN",),
    "₱": ("PHP",),
    "zł": ("PLN",),
    "kč": ("CZK",),
    "ft": ("HUF",),
    "лв": ("BGN",),
    "руб": ("RUB",),
    "rm": ("MYR",),
    "rp": ("IDR",),
    "s/": ("PEN",),
    "us$": ("USD",),
    "r$": ("BRL",),
    "a$": ("AUD",),
    "au$": ("AUD",),
    "c$": ("CAD",),
    "ca$": ("CAD",),
    "nz$": ("NZD",),
    "s$": ("SGD",),
    "hk$": ("HKD",),
    "mx$": ("MXN",),
    "nt$": ("TWD",),
}
"""The currencies that each mark stands for. Source: CLDR's narrow symbols."""
_SPACES = re.compile(r"(?<=\d)[ \u00a0\u202f\u2009'’_](?=\d{3}(?!\d))")
_NEGATIVE = {"-", "−", "–"}
_GROUPED = re.compile(r"\d{1,3}(?:S\d{3})+|\d{1,2}(?:S\d{2})+S\d{3}")
"""Thousands, or as in India a thousand and hundreds of it; S is the separator."""


def read(written: str, decimal_sign: str = "") -> Decimal:
    """Return the number in a text. Raises ValueError.

    `decimal_sign` is that of the column: one of SIGNS, or MIXED. Without it a dot is the decimal sign, and a comma is unless three
    digits follow.
    """
    if decimal_sign != "," and PLAIN.fullmatch(written):
        if decimal_sign == MIXED and _is_either(written.lstrip("+-")):
            raise ValueError(written)
        return Decimal(written)
    marked = _MARKED.fullmatch(written)
    number = _SPACES.sub("", marked["number"] if marked else written)
    signs = [marked[part] for part in ("sign", "sign_", "behind") if marked[part]] if marked else []
    if number.startswith("(") and number.endswith(")"):
        number = number[1:-1]
        signs.append("-")
    if len(signs) > 1:
        raise ValueError(written)
    found = Decimal(_digits(number, decimal_sign))
    return -found if signs and signs[0] in _NEGATIVE else found


def currencies_of(written: str) -> tuple[str, ...]:
    """Return the currencies that the mark of a number may stand for, none without a mark. Raises ValueError for an unknown mark."""
    marked = _MARKED.fullmatch(written)
    marks = (
        {mark.rstrip(".").lower() for mark in marked.group("before", "after") if mark}
        if marked
        else set()
    )
    if len(marks) > 1:
        raise ValueError(written)
    for mark in marks:
        if found := CURRENCIES.get(mark):
            return found
        if pycountry.currencies.get(alpha_3=mark.upper()) is None:
            raise ValueError(written)
        return (mark.upper(),)
    return ()


def _is_either(number: str) -> bool:
    """Return whether a number such as 1.234 or 1,234 means thousands or thousandths."""
    return re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", number) is not None


def _digits(number: str, decimal_sign: str) -> str:
    """Return the number with a dot as its decimal sign and nothing between thousands."""
    if re.fullmatch(r"\d+", number):
        return number
    used = {sign for sign in SIGNS if sign in number}
    if len(used) == 2:
        sign = max(SIGNS, key=number.rfind)
    elif not used:
        raise ValueError(number)
    else:
        sign = _sign(number, used.pop(), decimal_sign)
    if decimal_sign in SIGNS and sign != decimal_sign:
        raise ValueError(number)
    thousands = "," if sign == "." else "."
    whole, _, part = number.partition(sign)
    if not (re.fullmatch(r"\d*", whole) or _is_grouped(whole, thousands)):
        raise ValueError(number)
    if not re.fullmatch(r"\d*", part) or not (whole or part):
        raise ValueError(number)
    return f"{whole.replace(thousands, '') or '0'}.{part or '0'}"


def _sign(number: str, only: str, decimal_sign: str) -> str:
    """Return the decimal sign of a number that has one of the two signs, perhaps more than once."""
    other = "," if only == "." else "."
    if number.count(only) > 1:
        return other
    if not _is_either(number):
        return only
    if decimal_sign == MIXED:
        raise ValueError(number)
    return decimal_sign or "."


def _is_grouped(whole: str, separator: str) -> bool:
    return re.fullmatch(_GROUPED.pattern.replace("S", re.escape(separator)), whole) is not None
