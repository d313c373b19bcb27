"""Compare SQL expressions with texts, numbers and dates. A comparison is NULL, so no match, where there is no value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import NamedTuple

from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.expressions import Combinable, Expression
from django.db.models.functions import ExtractDay, ExtractMonth, Length, Lower, Right, StrIndex
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
)
from django.utils import timezone

A_DAY = timedelta(days=1)
A_MICROSECOND = timedelta(microseconds=1)  # PostgreSQL's finest step: the next point in time


class DateRange(NamedTuple):
    """A range from `start` (included) to `end` (excluded), as dates or ISO 8601 texts; None means open."""

    start: date | str | None
    end: date | str | None


def site_zone() -> tzinfo:
    """Return the site's zone: a rule means the same whatever zone its reader is in."""
    return timezone.get_default_timezone()


def range_of_days(operator: str, value: object, now: datetime) -> DateRange:
    """Return the calendar days of a date operator; "N days" counts from the site's today."""
    today = timezone.localdate(now, site_zone())
    match operator, value:
        case "in_last_days", int(days):
            return DateRange(today - days * A_DAY, today + A_DAY)
        case "inactive_days", int(days):
            return DateRange(None, today - days * A_DAY)
        case "before", date() as day:
            return DateRange(None, day)
        case "after", date() as day:
            return DateRange(day + A_DAY, None)
        case "on", date() as day:
            return DateRange(day, day + A_DAY)
        case "between", (date() as first, date() as last):
            return DateRange(first, last + A_DAY)
    raise AssertionError(operator)


def range_of_time(operator: str, value: object, now: datetime) -> DateRange:
    """Return the points in time of a date operator; a date is that whole day in the site's zone, "N days" counts to the second."""
    match operator, value:
        case "in_last_days", int(days):
            return DateRange(now - days * A_DAY, now + A_MICROSECOND)
        case "inactive_days", int(days):
            return DateRange(None, now - days * A_DAY)
        case "before", date() as given:
            return DateRange(None, _begins(given))
        case "after", date() as given:
            return DateRange(_has_ended(given), None)
        case "on", date() as day:
            return DateRange(_begins(day), _has_ended(day))
        case "between", (date() as first, date() as last):
            return DateRange(_begins(first), _has_ended(last))
    raise AssertionError(operator)


def days_of_the_year(now: datetime, days: int) -> list[tuple[int, int]]:
    """Return (month, day) from the site's today to `days` later. In a common year 29 February counts on the 28th."""
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


_COMPARE = {
    "=": Exact,
    ">": GreaterThan,
    ">=": GreaterThanOrEqual,
    "<": LessThan,
    "<=": LessThanOrEqual,
}


class IsNotTrue(Func):
    """Negate a condition; a row for which the condition is NULL matches, too."""

    template = "(%(expressions)s) IS NOT TRUE"
    arity = 1
    output_field = BooleanField()


class _StartsWith(Func):
    function = "starts_with"
    output_field = BooleanField()


def text(held: Combinable, operator: str, value: str | Sequence[str]) -> Q:
    """Compare texts and ignore case. The database folds both sides, so that it alone decides what lower case is."""
    folded = Lower(held)
    if operator == "in":
        return Q(In(folded, [Lower(Value(each)) for each in value]))
    wanted = Lower(Value(value))
    match operator:
        case "=":
            return Q(Exact(folded, wanted))
        case "contains":
            return Q(GreaterThan(StrIndex(folded, wanted), 0))
        case "starts_with":
            return Q(_StartsWith(folded, wanted))
        case "ends_with":
            return Q(Exact(Right(folded, Length(wanted)), wanted))
    raise AssertionError(operator)


def number(held: Combinable, operator: str, value: Decimal | Sequence[Decimal]) -> Q:
    if operator == "between":
        assert isinstance(value, tuple)
        least, greatest = value
        return number(held, ">=", least) & number(held, "<=", greatest)
    return Q(_COMPARE[operator](held, Value(value)))


def within(held: Combinable, dates: DateRange) -> Q:
    """Match from the start of the range to before its end."""
    since = Q(GreaterThanOrEqual(held, Value(dates.start))) if dates.start is not None else Q()
    until = Q(LessThan(held, Value(dates.end))) if dates.end is not None else Q()
    return since & until


def before_or_never(held: Combinable, dates: DateRange) -> Q:
    return within(held, dates) | Q(IsNull(held, True))


def years_since(
    held: Combinable, operator: str, years: Decimal | Sequence[Decimal], today: date
) -> Q:
    """Compare how many whole years ago a day was. Compared as days: that needs no arithmetic on each row."""
    if operator == "between":
        assert isinstance(years, tuple)
        least, most = years
        return years_since(held, ">=", least, today) & years_since(held, "<=", most, today)
    assert isinstance(years, Decimal)
    number = int(years)
    match operator:
        case ">=":
            return Q(LessThanOrEqual(held, Value(_years_before(today, number))))
        case ">":
            return years_since(held, ">=", years + 1, today)
        case "<":
            return Q(GreaterThan(held, Value(_years_before(today, number))))
        case "<=":
            return years_since(held, "<", years + 1, today)
    return years_since(held, ">=", years, today) & years_since(held, "<=", years, today)


def _years_before(today: date, years: int) -> date:
    year = today.year - years
    if not date.min.year <= year <= date.max.year:
        return date.min if year < date.min.year else date.max
    try:
        return today.replace(year=year)
    except ValueError:  # the 29th of February
        return today.replace(year=year, day=28)


def anniversary(held: F | Expression, days: int, now: datetime, *, is_day: bool) -> Q:
    """Match where month and day fall between today and `days` later."""
    return on_days_of_the_year(held, days_of_the_year(now, days), is_day=is_day)


def on_days_of_the_year(
    held: F | Expression, days: Sequence[tuple[int, int]], *, is_day: bool
) -> Q:
    """Match where month and day are one of `days`."""
    zone = None if is_day else site_zone()
    day_of_the_year = ExtractMonth(held, tzinfo=zone) * 100 + ExtractDay(held, tzinfo=zone)
    wanted = [month * 100 + day for month, day in days]
    return Q(In(day_of_the_year, wanted))


def missing(held: Combinable, *, as_text: bool) -> Q:
    """Match where there is no value; an empty text is none either."""
    absent = Q(IsNull(held, True))
    return absent | Q(Exact(held, Value(""))) if as_text else absent
