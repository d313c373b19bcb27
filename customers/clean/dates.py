"""Read dates and times as products write them: day or month first, names of months, 12-hour clocks, Unix times."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache

from babel import Locale
from django.conf import settings
from django.utils.translation import gettext as _

ORDERS = ("day_first", "month_first")
MIXED = "mixed"
"""The order of a column in which some dates have the day first and others the month: only clear ones are read."""
ASSUMED = "assumed"
"""The order of a column of mostly ISO dates: the month first between slashes, else the day."""

NUMERIC = r"\d{1,2}\s?([/.-])\s?\d{1,2}\1\s?(?:\d{4}|\d{2})\b"
"""A date of three numbers whose order only its column tells; one group."""

_FUTURE_YEARS = 20
"""A year of two digits is at most so many years ahead, else in the last century."""
_IDEOGRAPHS = str.maketrans({**dict.fromkeys("年月년월", "-"), **dict.fromkeys("日일", " ")})
_NUMBERS = r"(?P<a>\d{1,4})\s?(?P<between>[/.-])\s?(?P<b>\d{1,2})(?P=between)\s?(?P<c>\d{1,4})\.?"
_DAY_NAMED = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+(?:de\s)?(?P<month>[^\W\d_]{3,})\.?,?[\s-]+(?:de\s)?(?P<year>\d{4}|\d{2})"
_NAMED_DAY = r"(?P<month_>[^\W\d_]{3,})\.?\s+(?P<day_>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year_>\d{4})"
_CLOCK = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<part>\d+))?)?)?\s*(?P<half>[ap]\.?m\b\.?)?"
_ZONE = r"(?:UTC|GMT)?(?P<offset>[+-]\d\d?(?::?\d\d)?)|(?P<zone>Z|UTC|GMT|[ECMP][SD]T)"
_DATE_AND_TIME = re.compile(
    rf"(?:[^\W\d_]{{2,}}\.?,?\s+)??(?:{_NUMBERS}|{_DAY_NAMED}|{_NAMED_DAY})"
    rf"(?:(?:\s*T|,?\s+(?:at\s+|um\s+)?){_CLOCK})?"
    rf"(?:\s*(?:{_ZONE})(?:\s+(?:[A-Z]{{1,5}}|[+-]\d\d(?:\d\d)?))?(?:\s*\(.*\))?)?",
    re.IGNORECASE,
)
_UNIX = re.compile(r"(\d{10})(?:\.\d+|(\d{3}))?")
_HOURS = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
"""The zones of RFC 2822."""
_LOCALES = [
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "cs",
    "sk",
    "sv",
    "da",
    "nb",
    "fi",
    "hu",
    "ro",
    "tr",
    "ru",
    "uk",
    "el",
    "id",
]


STATED_ORDER: ContextVar[str] = ContextVar("order of dates", default="")
"""The order that a call states; without one it is that of the site (DATE_ORDER)."""


class AmbiguousDate(ValueError):
    """A date that is another day with day and month exchanged."""


@contextmanager
def stated_order(order: str) -> Iterator[None]:
    """Read dates within the block in this order; an empty one states nothing."""
    token = STATED_ORDER.set(order)
    try:
        yield
    finally:
        STATED_ORDER.reset(token)


def read(written: str, order: str = "") -> datetime:
    """Return the date and time in a text that is not in ISO 8601, without a zone where it names none.

    `order` is that of the column: one of ORDERS, MIXED or ASSUMED, by default STATED_ORDER. Without any, 1.2.2025 is 1 February, as no
    country writes otherwise, and 1/2/2025 raises AmbiguousDate. Raises ValueError for other texts.
    """
    if unix := _UNIX.fullmatch(written):
        return datetime.fromtimestamp(int(unix[1]), UTC)
    found = _DATE_AND_TIME.fullmatch(written.translate(_IDEOGRAPHS).strip())
    if found is None:
        raise ValueError(written)
    clock = _clock(found)
    return datetime.combine(_day(found, order), datetime.min.time(), _zone(found)) + clock


def _day(found: re.Match[str], order: str) -> date:
    if found["between"]:
        return _by_numbers(found, order)
    name, day, year = (found[part] or found[f"{part}_"] for part in ("month", "day", "year"))
    if name.casefold() not in _months():
        raise ValueError(name)
    return date(_year(year), _months()[name.casefold()], int(day))


def _by_numbers(found: re.Match[str], order: str) -> date:
    first, second, last = found["a"], found["b"], found["c"]
    if len(first) == 4 or (len(last) == 2 and int(first) > 31):
        return date(_year(first), int(second), int(last))
    if len(first) > 2:
        raise ValueError(first)
    one, two = int(first), int(second)
    order = order or STATED_ORDER.get() or settings.DATE_ORDER
    month, day = (one, two) if _is_month_first(one, two, found, order) else (two, one)
    return date(_year(last), month, day)


def _is_month_first(one: int, two: int, found: re.Match[str], order: str) -> bool:
    if order in ORDERS:
        return order == "month_first"
    if max(one, two) > 12 or one == two:
        return two > 12
    if order == MIXED:
        raise ValueError(order)
    if order == ASSUMED or found["between"] == ".":
        return found["between"] == "/"
    written = f"{found['a']}{found['between']}{found['b']}{found['between']}{found['c']}"
    raise AmbiguousDate(
        _(
            "“%(written)s” may have its day or its month first. Write it as 2025-01-31, or set dates to day_first or month_first."
        )
        % {"written": written}
    )


def _year(digits: str) -> int:
    if len(digits) not in {2, 4}:
        raise ValueError(digits)
    if len(digits) == 4:
        return int(digits)
    latest = date.today().year + _FUTURE_YEARS  # noqa: DTZ011 any zone does
    year = 2000 + int(digits)
    return year if year <= latest else year - 100


def _clock(found: re.Match[str]) -> timedelta:
    if not found["hour"]:
        return timedelta()
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if found["half"][0] in "pP" else 0)
    elif not found["minute"]:
        raise ValueError(hour)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(hour)
    microsecond = int((found["part"] or "0")[:6].ljust(6, "0"))
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microsecond)


def _zone(found: re.Match[str]) -> timezone | None:
    if offset := found["offset"]:
        digits = offset[1:].replace(":", "")
        hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
        away = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-away if offset[0] == "-" else away)
    if name := found["zone"]:
        return timezone(timedelta(hours=_HOURS.get(name.upper(), 0)))
    return None


@cache
def _months() -> dict[str, int]:
    """Return name and abbreviation of months in lower case → 1 to 12; a name of two months only as English has it."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for name in _LOCALES:
        for context in Locale(name).months.values():
            for width in ("wide", "abbreviated"):
                for number, month in context.get(width, {}).items():
                    found[month.casefold().rstrip(".")].add(number)
    months = {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1}
    return (
        months
        | {
            name.casefold(): number
            for width in ("wide", "abbreviated")
            for number, name in Locale("en").months["format"][width].items()
        }
        | {"sept": 9}
    )
