"""Conditions on an SQL expression by the kind of what it holds. Each is NULL, so no match, where there is no value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

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

from customers.segments.sql.date_ranges import Span, days_of_the_year, site_zone

_COMPARE = {
    "=": Exact,
    ">": GreaterThan,
    ">=": GreaterThanOrEqual,
    "<": LessThan,
    "<=": LessThanOrEqual,
}


class IsNotTrue(Func):
    """The complement of a condition, which takes in those for whom the condition is NULL."""

    template = "(%(expressions)s) IS NOT TRUE"
    arity = 1
    output_field = BooleanField()


class _StartsWith(Func):
    function = "starts_with"
    output_field = BooleanField()


def text(held: Combinable, operator: str, value: str | Sequence[str]) -> Q:
    """Whatever the case. The database folds both sides, so that it alone decides what lower case is."""
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


def within(held: Combinable, span: Span) -> Q:
    """From the start of the span to before its end."""
    since = Q(GreaterThanOrEqual(held, Value(span.start))) if span.start is not None else Q()
    until = Q(LessThan(held, Value(span.end))) if span.end is not None else Q()
    return since & until


def before_or_never(held: Combinable, span: Span) -> Q:
    return within(held, span) | Q(IsNull(held, True))


def years_since(
    held: Combinable, operator: str, years: Decimal | Sequence[Decimal], today: date
) -> Q:
    """How many whole years ago a day was, compared as days: that needs no arithmetic on each row."""
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
    """Month and day fall between today and that many days on."""
    return on_days_of_the_year(held, days_of_the_year(now, days), is_day=is_day)


def on_days_of_the_year(
    held: F | Expression, days: Sequence[tuple[int, int]], *, is_day: bool
) -> Q:
    """Month and day are one of these."""
    zone = None if is_day else site_zone()
    day_of_the_year = ExtractMonth(held, tzinfo=zone) * 100 + ExtractDay(held, tzinfo=zone)
    wanted = [month * 100 + day for month, day in days]
    return Q(In(day_of_the_year, wanted))


def missing(held: Combinable, *, as_text: bool) -> Q:
    """There is no value; of texts, the empty one is none either."""
    absent = Q(IsNull(held, True))
    return absent | Q(Exact(held, Value(""))) if as_text else absent
