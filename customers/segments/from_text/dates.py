"""Read calendar dates: 1 May, March 2025, Q3 2025, last year, yesterday. Each has a first and a last day."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.segments.from_text.phrase import Phrase

A_DAY = timedelta(days=1)
_MONTHS = {
    name.lower(): number
    for number in range(1, 13)
    for name in (calendar.month_name[number], calendar.month_abbr[number])
} | {"sept": 9}
_MONTH = f"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})"
_WEEKDAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
_WEEKDAY = "|".join(_WEEKDAYS)
_UNITS = {"month": 1, "quarter": 3, "year": 12}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_HOLIDAYS = {
    "christmas eve": (12, 24),
    "christmas": (12, 25),
    "new years eve": (12, 31),
    "new years? day": (1, 1),
    "new year": (1, 1),
    "valentine(?:s day| day)?": (2, 14),
    "halloween": (10, 31),
    "boxing day": (12, 26),
}
_SALES = {"black friday": 1, "cyber monday": 4}
"""Days after the fourth Thursday of November."""
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The first of their three months."""
_YEAR = r"(?:,? ?(?:of |in )?(?P<year>(?:19|20)\d{2}))?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"

FirstDay = Callable[[re.Match[str], int], date]
"""Returns the first day that a match means in a year."""


class Days(NamedTuple):
    """From the first to the last day, both included."""

    first: date
    last: date


def days(phrase: Phrase) -> Days | None:
    """Read a date. Without a year it is the latest that has begun."""
    start = phrase.at
    if unit := phrase.take(
        "(?:the )?(?:start|beginning) of (?:the|this) (?P<unit>week|month|quarter|year)"
    ):
        first = _unit_of(phrase.today, unit["unit"]).first
        return Days(first, first)
    is_start = bool(phrase.take("(?:the )?(?:start|beginning) of "))
    found = _written(phrase) or _of_a_year(phrase) or _relative(phrase)
    if found is None:
        phrase.at = start
        return None
    return Days(found.first, found.first) if is_start else found


def _written(phrase: Phrase) -> Days | None:
    found = phrase.take(r"(?:the )?(?P<iso>\d{4}-\d{2}-\d{2})")
    try:
        if found:
            return _one(date.fromisoformat(found["iso"]))
        with phrase.attempt() as attempt:
            found = phrase.take(r"(?P<a>\d{1,2})(?P<sign>[./])(?P<b>\d{1,2})[./](?P<year>\d{4})")
            if not found:
                return None
            first, second = int(found["a"]), int(found["b"])
            is_day_first = found["sign"] == "." or first > 12 or settings.DATE_ORDER == "day_first"
            month, day = (second, first) if is_day_first else (first, second)
            read = date(int(found["year"]), month, day)
            if not is_day_first and second <= 12 and first != second:
                shown = date_format(read, "DATE_FORMAT")
                phrase.note(
                    _("“%(written)s” is read as %(shown)s.") % {"written": found[0], "shown": shown}
                )
            attempt.keep()
            return _one(read)
    except ValueError:
        return None


def _day_of_month(found: re.Match[str], year: int) -> date:
    return date(year, _MONTHS[found["month"]], int(found["day"]))


def _month(found: re.Match[str], year: int) -> date:
    return date(year, _MONTHS[found["month"]], 1)


def _part(months: int, found: re.Match[str], year: int) -> date:
    number = found["number"]
    return date(year, ((_ORDINALS.get(number) or int(number)) - 1) * months + 1, 1)


def _holiday(day: tuple[int, int], found: re.Match[str], year: int) -> date:
    return date(year, *day)


def _sale(found: re.Match[str], year: int) -> date:
    first = date(year, 11, 1)
    thursday = first + ((3 - first.weekday()) % 7 + 21) * A_DAY
    return thursday + _SALES[found["name"]] * A_DAY


def _season(found: re.Match[str], year: int) -> date:
    return date(year, _SEASONS[found["name"]], 1)


_OF_A_YEAR: tuple[tuple[str, FirstDay, int], ...] = (
    (rf"(?:the )?{_DAY} (?:of )?{_MONTH}{_YEAR}", _day_of_month, 0),
    (rf"{_MONTH} (?:the )?{_DAY}{_YEAR}", _day_of_month, 0),
    (rf"(?:the )?q(?P<number>[1-4]){_YEAR}", partial(_part, 3), 3),
    (rf"(?:the )?(?P<number>first|second|third|fourth) quarter{_YEAR}", partial(_part, 3), 3),
    (rf"(?:the )?h(?P<number>[12]){_YEAR}", partial(_part, 6), 6),
    (rf"(?:the )?(?P<number>first|second) half{_YEAR}", partial(_part, 6), 6),
    (rf"(?:this|last) {_MONTH}(?P<year>)(?! \d{{1,2}}(?: |$))", _month, 1),
    (rf"{_MONTH}{_YEAR}", _month, 1),
    *(
        (
            rf"(?:the )?(?:last )?(?:{name})(?! week| month| quarter){_YEAR}",
            partial(_holiday, day),
            0,
        )
        for name, day in _HOLIDAYS.items()
    ),
    (rf"(?:last )?(?P<name>{'|'.join(_SALES)})(?! (?:campaign|email|message)){_YEAR}", _sale, 0),
    (rf"(?:the |last |this |this past )?(?P<name>{'|'.join(_SEASONS)}){_YEAR}", _season, 3),
)
"""A pattern, the first day that it means in a year, and the number of its months; 0 for a day."""


def _of_a_year(phrase: Phrase) -> Days | None:
    for pattern, first_day, months in _OF_A_YEAR:
        with phrase.attempt() as attempt:
            is_campaign = first_day is _sale and phrase.name("campaign")
            if is_campaign and not phrase.before("on|since|before|after|until|till|by|last"):
                continue
            match = phrase.take(pattern)
            first = (
                _latest(phrase.today, match["year"], partial(first_day, match)) if match else None
            )
            if match is None or first is None:
                continue
            found = Days(first, first + relativedelta(months=months) - A_DAY * bool(months))
            if first_day is _season:
                if phrase.sees("sales?|campaigns?|collection|emails?"):
                    continue
                bounds = dict(zip(("first", "last"), map(date_format, found), strict=True))
                phrase.note(
                    _("“%(season)s” is read as %(first)s to %(last)s.")
                    % {"season": match["name"], **bounds}
                )
            attempt.keep()
            return found
    return None


def _relative(phrase: Phrase) -> Days | None:
    today = phrase.today
    if phrase.take("today|now"):
        return _one(today)
    if phrase.take("yesterday"):
        return _one(today - A_DAY)
    if phrase.take("the day before yesterday"):
        return _one(today - 2 * A_DAY)
    if weekday := phrase.take(rf"(?:last |this |on )?(?P<day>{_WEEKDAY})"):
        back = (today.weekday() - _WEEKDAYS[weekday["day"]]) % 7 or 7
        return _one(today - back * A_DAY)
    if turn := phrase.take(
        "(?:this|the current|(?P<back>last|previous|the previous)|(?P<ahead>next)|the year before last)(?: calendar)?"
        " (?P<unit>week|month|quarter|year)"
    ):
        current = _unit_of(today, turn["unit"])
        if turn["back"]:
            return _unit_of(current.first - A_DAY, turn["unit"])
        return _unit_of(current.last + A_DAY, turn["unit"]) if turn["ahead"] else current
    if year := phrase.take(
        r"(?:the )?(?:year |calendar year )?(?P<year>(?:19|20)\d{2})(?! (?:times|orders|visits|customers|people))"
    ):
        return _unit_of(date(int(year["year"]), 1, 1), "year")
    return None


def _unit_of(day: date, unit: str) -> Days:
    """Return the week, month, quarter or year of a day."""
    if unit == "week":
        first = day - day.weekday() * A_DAY
        return Days(first, first + 6 * A_DAY)
    months = _UNITS[unit]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return Days(first, first + relativedelta(months=months) - A_DAY)


def _latest(today: date, written: str | None, of_year: Callable[[int], date]) -> date | None:
    """Return the day in the written year, else the latest that has begun; None for a day of no calendar."""
    try:
        if written:
            return of_year(int(written))
        found = of_year(today.year)
        return found if found <= today else of_year(today.year - 1)
    except ValueError:
        return None


def _one(day: date) -> Days:
    return Days(day, day)
