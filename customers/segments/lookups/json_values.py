"""Compare a value of free JSON, of whatever type it is; a value of another type is no match.

A value is read only if it has the type that the comparison needs, else it is NULL: no cast can fail.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, DecimalField, F, Func, JSONField, Q, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Lower, Substr
from django.db.models.lookups import In

from customers.segments.lookups import comparisons
from customers.segments.lookups.comparisons import DateRange, days_of_the_year, range_of_days


def value_of(column: str, key: str) -> Func:
    """Return the value of a top-level key of a jsonb column; NULL where there is none."""
    return Func(
        F(column),
        Value(key),
        template="(%(expressions)s::text)",
        arg_joiner=" -> ",
        output_field=JSONField(),
    )


def matches(held: Func, operator: str, value: Any, now: datetime) -> Q:
    """Apply a positive operator to a JSON value."""
    match operator:
        case "is_set":
            return Q(_IsSet(held))
        case "=":
            return _equals(held, value)
        case "in":
            return reduce(or_, (_equals(held, each) for each in value))
        case "contains":
            return _contains(held, value)
        case "contains_any":
            return reduce(or_, (_has(held, each) for each in value))
        case "contains_all":
            return reduce(and_, (_has(held, each) for each in value))
        case "starts_with" | "ends_with":
            return comparisons.text(_text(held), operator, value)
        case "anniversary_in_days":
            wanted = [f"{month:02}-{day:02}" for month, day in days_of_the_year(now, value)]
            return Q(In(Substr(iso_day(held), 6, 5), wanted))
        case "inactive_days":
            return comparisons.before_or_never(iso_day(held), _written(operator, value, now))
        case "before" | "after" | "on" | "in_last_days":
            return comparisons.within(iso_day(held), _written(operator, value, now))
        case "between" if isinstance(value[0], date):
            return comparisons.within(iso_day(held), _written(operator, value, now))
    return comparisons.number(_number(held), operator, value)


class _IsSet(Func):
    template = """coalesce(%(expressions)s, 'null') NOT IN ('null', '""', '[]', '{}')"""
    arity = 1
    output_field = BooleanField()


class _OfType(Func):
    """The value if it has one of the types, else NULL. (A jsonpath filter would be several times slower.)"""

    template = "CASE WHEN jsonb_typeof(%(expressions)s) IN (%(types)s) THEN %(expressions)s END"
    arity = 1
    output_field = JSONField()

    def __init__(self, held: Combinable, *types: str) -> None:
        super().__init__(held, types=", ".join(f"'{name}'" for name in types))

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        sql, parameters = super().as_sql(*args, **kwargs)
        return sql, [*parameters, *parameters]


class _Number(Func):
    template = "(%(expressions)s)::numeric"
    output_field = DecimalField()


class _WrittenNumber(Func):
    template = r"substring((%(expressions)s) #>> '{}' from '^-?\d{1,20}(?:\.\d{1,20})?$')::numeric"
    output_field = DecimalField()


class _Text(Func):
    template = "(%(expressions)s) #>> '{}'"
    output_field = TextField()


class _IsoDay(Func):
    """The ISO 8601 date at the start of a text, else NULL. As text such dates sort in the order of time."""

    template = r"substring(%(expressions)s from '^\d{4}-\d\d-\d\d') COLLATE " + '"C"'
    output_field = TextField()


class _HasText(Func):
    template = "(%(expressions)s)"
    arg_joiner = " ?| "
    output_field = BooleanField()


class _HasValue(Func):
    template = "(%(expressions)s)"
    arg_joiner = " @> "
    output_field = BooleanField()


def amount(held: Combinable) -> Func:
    """Return the value as a number, also one written as text; NULL for anything else."""
    return _WrittenNumber(held)


def _number(held: Func) -> Func:
    return _Number(_OfType(held, "number"))


def _text(held: Func) -> Func:
    return _Text(_OfType(held, "string", "number", "boolean"))


def iso_day(held: Func) -> Func:
    """Return the day at the start of a text, as ISO 8601 text; NULL for anything else."""
    return _IsoDay(_Text(_OfType(held, "string")))


def _equals(held: Func, value: str | bool | Decimal) -> Q:
    if isinstance(value, bool):
        return comparisons.text(_Text(_OfType(held, "boolean")), "=", "true" if value else "false")
    if isinstance(value, Decimal):
        return comparisons.number(_number(held), "=", value)
    return comparisons.text(_text(held), "=", value)


def _contains(held: Func, value: str | bool | Decimal) -> Q:
    in_list = _has(held, value)
    return (
        in_list | comparisons.text(_text(held), "contains", value)
        if isinstance(value, str)
        else in_list
    )


def _has(held: Func, value: str | bool | Decimal) -> Q:
    """Match a list that has the value; a text counts as a list of one."""
    if isinstance(value, str):
        texts = Cast(Lower(Cast(_OfType(held, "array", "string"), TextField())), JSONField())
        wanted = Func(
            Lower(Value(value)),
            template="ARRAY[%(expressions)s]",
            output_field=ArrayField(TextField()),
        )
        return Q(_HasText(texts, wanted))
    written = str(value).lower() if isinstance(value, bool) else f"{value:f}"
    return Q(_HasValue(_OfType(held, "array"), Cast(Value(written), JSONField())))


def within_days(held: Func, start: date, end: date) -> Q:
    """Match days from `start` to before `end`."""
    return comparisons.within(iso_day(held), DateRange(str(start), str(end)))


def _written(operator: str, value: Any, now: datetime) -> DateRange:
    """Return the range of days as ISO 8601 texts."""
    return DateRange(*(day and str(day) for day in range_of_days(operator, value, now)))
