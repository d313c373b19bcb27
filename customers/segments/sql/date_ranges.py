"""The stretch of time that a date operator speaks of, in days of the calendar or in points in time."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from django.utils import timezone

if TYPE_CHECKING:
    from customers.segments.language.values import Value

A_DAY = timedelta(days=1)
A_MICROSECOND = timedelta(microseconds=1)  # PostgreSQL's finest step: the next point in time


class Span(NamedTuple):
    """From `start` (included) to `end` (excluded), as dates or as their ISO 8601 texts; None where it is open."""

    start: date | str | None
    end: date | str | None


def site_zone() -> tzinfo:
    """Rules mean the same whoever runs them, so they follow the site's zone and not the reader's."""
    return timezone.get_default_timezone()


def span_of_days(operator: str, value: Value, now: datetime) -> Span:
    """For dates of the calendar; "N days" counts from the site's today."""
    today = timezone.localdate(now, site_zone())
    match operator, value:
        case "in_last_days", int(days):
            return Span(today - days * A_DAY, today + A_DAY)
        case "inactive_days", int(days):
            return Span(None, today - days * A_DAY)
        case "before", date() as day:
            return Span(None, day)
        case "after", date() as day:
            return Span(day + A_DAY, None)
        case "on", date() as day:
            return Span(day, day + A_DAY)
        case "between", (date() as first, date() as last):
            return Span(first, last + A_DAY)
    raise AssertionError(operator)


def span_of_time(operator: str, value: Value, now: datetime) -> Span:
    """For points in time; a given date is that whole day in the site's zone, and "N days" counts to the second."""
    match operator, value:
        case "in_last_days", int(days):
            return Span(now - days * A_DAY, now + A_MICROSECOND)
        case "inactive_days", int(days):
            return Span(None, now - days * A_DAY)
        case "before", date() as given:
            return Span(None, _begins(given))
        case "after", date() as given:
            return Span(_has_ended(given), None)
        case "on", date() as day:
            return Span(_begins(day), _has_ended(day))
        case "between", (date() as first, date() as last):
            return Span(_begins(first), _has_ended(last))
    raise AssertionError(operator)


def days_of_the_year(now: datetime, days: int) -> list[tuple[int, int]]:
    """(month, day) from the site's today to `days` later. In a common year the 29th of February is kept on the 28th."""
    today = timezone.localdate(now, site_zone())
    found: dict[tuple[int, int], None] = {}
    for offset in range(days + 1):
        day = today + offset * A_DAY
        found[day.month, day.day] = None
        if (day.month, day.day) == (2, 28) and (day + A_DAY).month == 3:
            found[2, 29] = None
    return list(found)


def _begins(given: date) -> datetime:
    if isinstance(given, datetime):
        return given
    return datetime(given.year, given.month, given.day, tzinfo=site_zone())


def _has_ended(given: date) -> datetime:
    return given + A_MICROSECOND if isinstance(given, datetime) else _begins(given + A_DAY)
