"""Dates of the calendar in words: 1 May, March 2025, Q3 2025, last year, yesterday. Each is a first and a last day."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.segments.from_text.phrase import Phrase

A_DAY = timedelta(days=1)
_MONTHS = {
    name.lower(): number
    for number in range(1, 13)
    for name in (calendar.month_name[number], calendar.month_abbr[number])
} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WEEKDAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
_WEEKDAY = "|".join(_WEEKDAYS)
_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}
_HOLIDAYS = {
    "christmas": (12, 25),
    "new year": (1, 1),
    "new years day": (1, 1),
    "valentine": (2, 14),
    "valentines day": (2, 14),
    "valentine day": (2, 14),
    "halloween": (10, 31),
    "boxing day": (12, 26),
    "new years eve": (12, 31),
    "christmas eve": (12, 24),
}
_SALES = {"black friday": 0, "cyber monday": 3}
"""Days after the Friday that follows the fourth Thursday of November."""
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The first of their three months."""
_YEAR = r"(?:,? ?(?:of |in )?(?P<year>(?:19|20)\d{2}))?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"


class Days(NamedTuple):
    """From the first to the last day, both included."""

    first: date
    last: date


def days(phrase: Phrase) -> Days | None:
    """The date at the cursor. Without a year it is the latest that has begun."""
    phrase_start = phrase.at
    if unit := phrase.take(
        "(?:the )?(?:start|beginning) of (?:the|this) (?P<unit>week|month|quarter|year)"
    ):
        first = _turned(phrase.today, "this", unit["unit"]).first
        return Days(first, first)
    is_start = bool(phrase.take("(?:the )?(?:start|beginning) of "))
    for read in (
        _written,
        _day_of_month,
        _quarter,
        _half,
        _month,
        _named,
        _sale,
        _season,
        _relative,
        _year,
    ):
        found = read(phrase)
        if found is not None:
            return Days(found.first, found.first) if is_start else found
    phrase.at = phrase_start
    return None


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
            is_day_first = found["sign"] == "." or first > 12
            month, day = (second, first) if is_day_first else (first, second)
            read = date(int(found["year"]), month, day)
            if first <= 12 and second <= 12 and first != second and found["sign"] == "/":
                shown = date_format(read, "DATE_FORMAT")
                phrase.note(
                    _("“%(written)s” is read as %(shown)s.") % {"written": found[0], "shown": shown}
                )
            attempt.keep()
            return _one(read)
    except ValueError:
        return None


def _day_of_month(phrase: Phrase) -> Days | None:
    with phrase.attempt() as attempt:
        found = phrase.take(rf"(?:the )?{_DAY} (?:of )?(?P<month>{_MONTH}){_YEAR}") or phrase.take(
            rf"(?P<month>{_MONTH}) (?:the )?{_DAY}{_YEAR}"
        )
        if not found:
            return None
        month, day = _MONTHS[found["month"]], int(found["day"])
        read = _latest(phrase.today, found["year"], lambda year: date(year, month, day))
        if read is None:
            return None
        attempt.keep()
        return _one(read)


def _month(phrase: Phrase) -> Days | None:
    turn = phrase.take(rf"(?P<turn>this|last) (?P<month>{_MONTH})(?! \d{{1,2}}(?: |$))")
    found = turn or phrase.take(rf"(?P<month>{_MONTH}){_YEAR}")
    if not found:
        return None
    month = _MONTHS[found["month"]]
    written = found.groupdict().get("year")
    first = _latest(phrase.today, written, lambda year: date(year, month, 1))
    return _month_of(first) if first else None


def _quarter(phrase: Phrase) -> Days | None:
    found = phrase.take(rf"(?:the )?q(?P<number>[1-4]){_YEAR}") or phrase.take(
        rf"(?:the )?(?P<number>first|second|third|fourth) quarter{_YEAR}"
    )
    if not found:
        return None
    number = _QUARTERS.get(found["number"]) or int(found["number"])
    first = _latest(phrase.today, found["year"], lambda year: date(year, number * 3 - 2, 1))
    return _quarter_of(first) if first else None


def _half(phrase: Phrase) -> Days | None:
    found = phrase.take(rf"(?:the )?(?:h(?P<number>[12])|(?P<word>first|second) half){_YEAR}")
    if not found:
        return None
    month = 1 if found["number"] == "1" or found["word"] == "first" else 7
    first = _latest(phrase.today, found["year"], lambda year: date(year, month, 1))
    return Days(first, _month_of(first.replace(month=month + 5)).last) if first else None


def _named(phrase: Phrase) -> Days | None:
    found = phrase.take(
        rf"(?:the )?(?:last )?(?P<name>{'|'.join(_HOLIDAYS)})(?! week| month| quarter){_YEAR}"
    )
    if not found:
        return None
    month, day = _HOLIDAYS[found["name"]]
    read = _latest(phrase.today, found["year"], lambda year: date(year, month, day))
    return _one(read) if read else None


def _sale(phrase: Phrase) -> Days | None:
    """Black Friday; but not where a campaign of that name is meant."""
    if phrase.name("campaign") and not phrase.before("on|since|before|after|until|till|by|last"):
        return None
    found = phrase.take(
        rf"(?:last )?(?P<name>{'|'.join(_SALES)})(?! (?:campaign|email|message)){_YEAR}"
    )
    if not found:
        return None

    def of_year(year: int) -> date:
        first = date(year, 11, 1)
        thursday = first + ((3 - first.weekday()) % 7 + 21) * A_DAY
        return thursday + (1 + _SALES[found["name"]]) * A_DAY

    read = _latest(phrase.today, found["year"], of_year)
    return _one(read) if read else None


def _season(phrase: Phrase) -> Days | None:
    with phrase.attempt() as attempt:
        found = phrase.take(
            rf"(?:the |last |this |this past )?(?P<name>{'|'.join(_SEASONS)}){_YEAR}"
        )
        month = _SEASONS[found["name"]] if found else 0
        first = (
            _latest(phrase.today, found["year"], lambda year: date(year, month, 1))
            if found
            else None
        )
        if found is None or first is None or phrase.sees("sales?|campaigns?|collection|emails?"):
            return None
        last = _month_of((first + 62 * A_DAY).replace(day=1)).last
        told = {"season": found["name"], "first": date_format(first), "last": date_format(last)}
        phrase.note(_("“%(season)s” is read as %(first)s to %(last)s.") % told)
        attempt.keep()
        return Days(first, last)


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
    found = phrase.take(
        "(?P<turn>this|the current|last|previous|the previous|next|the year before last)"
        "(?: calendar)? (?P<unit>week|month|quarter|year)"
    )
    if not found:
        return None
    return _turned(today, found["turn"], found["unit"])


def _year(phrase: Phrase) -> Days | None:
    found = phrase.take(
        r"(?:the )?(?:year |calendar year )?(?P<year>(?:19|20)\d{2})(?! (?:times|orders|visits|customers|people))"
    )
    if not found:
        return None
    return _year_of(date(int(found["year"]), 1, 1))


def _turned(today: date, turn: str, unit: str) -> Days:
    span = {"week": _week_of, "month": _month_of, "quarter": _quarter_of, "year": _year_of}[unit]
    current = span(today)
    if turn in {"last", "previous", "the previous"}:
        return span(current.first - A_DAY)
    return span(current.last + A_DAY) if turn == "next" else current


def _latest(today: date, written: str | None, of_year: Callable[[int], date]) -> date | None:
    """In the written year, else the latest that has begun; None for a day that is not in the calendar."""
    try:
        if written:
            return of_year(int(written))
        found = of_year(today.year)
        return found if found <= today else of_year(today.year - 1)
    except ValueError:
        return None


def _one(day: date) -> Days:
    return Days(day, day)


def _week_of(day: date) -> Days:
    first = day - day.weekday() * A_DAY
    return Days(first, first + 6 * A_DAY)


def _month_of(day: date) -> Days:
    length = calendar.monthrange(day.year, day.month)[1]
    return Days(day.replace(day=1), day.replace(day=length))


def _quarter_of(day: date) -> Days:
    month = (day.month - 1) // 3 * 3 + 1
    return Days(date(day.year, month, 1), _month_of(date(day.year, month + 2, 1)).last)


def _year_of(day: date) -> Days:
    return Days(date(day.year, 1, 1), date(day.year, 12, 31))
