"""A rule → one condition on customers: no joins, so no doubled rows, and never NULL where it is negated."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import and_
from typing import Any, cast

from django.db.models import BooleanField, Q, Value
from django.db.models.lookups import In
from django.utils import timezone

from customers.segments import comparisons, json_values
from customers.segments.comparisons import IsNotTrue
from customers.segments.operators import POSITIVE_OF, Type
from customers.segments.rules import Attribute, Group, Rule, parse
from customers.segments.spans import span_of_days, span_of_time

EVERYONE = Q(Value(True, output_field=BooleanField()))
NO_ONE = Q(Value(False, output_field=BooleanField()))


def compile_rules(rules: dict[str, Any], *, now: datetime | None = None) -> Q:
    """The condition for `Customer.objects.filter()`. Raises customers.segments.rules.RuleError."""
    return compile_rule(parse(rules), now or timezone.now())


def compile_rule(rule: Rule, now: datetime) -> Q:
    """The condition of a parsed rule, as of a moment."""
    return _group(rule, now) if isinstance(rule, Group) else _attribute(rule, now)


def _group(group: Group, now: datetime) -> Q:
    parts = [compile_rule(each, now) for each in group.conditions]
    of_none = EVERYONE if group.operator == "AND" else NO_ONE
    found = Q(*parts, _connector=group.operator) if parts else of_none
    return Q(IsNotTrue(found)) if group.negate else found


def _attribute(rule: Attribute, now: datetime) -> Q:
    if rule.operator in POSITIVE_OF:
        positive = _positive(replace(rule, operator=POSITIVE_OF[rule.operator]), now)
        # the conditions of lists are never NULL, and a plain NOT EXISTS can be an anti-join
        return ~positive if rule.field.type is Type.LIST else Q(IsNotTrue(positive))
    return _positive(rule, now)


def _positive(rule: Attribute, now: datetime) -> Q:
    field, operator, value = rule.field, rule.operator, rule.value
    if field.type is Type.ANY:
        return json_values.matches(
            json_values.value_of("attributes", field.attribute), operator, value, now
        )
    if field.type is Type.LIST:
        return _list(rule)
    if operator == "is_set":
        as_text = field.type in {Type.TEXT, Type.CHOICE}
        return ~comparisons.missing(field.at(now), as_text=as_text)
    if field.type is Type.DATE:
        return _date(rule, now)
    if field.type is Type.CHOICE and operator in {"=", "in"}:
        return Q(In(field.at(now), value if isinstance(value, tuple) else [value]))
    if field.type in {Type.TEXT, Type.CHOICE}:
        return comparisons.text(field.at(now), operator, cast(str | tuple[str, ...], value))
    return comparisons.number(field.at(now), operator, cast(Decimal | tuple[Decimal, ...], value))


def _list(rule: Attribute) -> Q:
    members = rule.field.members
    assert members is not None
    match rule.operator, rule.value:
        case "is_set", _:
            return members.is_set()
        case "contains", str(value):
            return members.has_any([value])
        case "contains_all", tuple(values):
            return reduce(and_, (members.has_any([str(value)]) for value in values))
        case "contains_any", tuple(values):
            return members.has_any([str(value) for value in values])
    raise AssertionError(rule.operator)


def _date(rule: Attribute, now: datetime) -> Q:
    held, operator, is_day = rule.field.at(now), rule.operator, rule.field.is_day
    if operator == "anniversary_in_days":
        assert isinstance(rule.value, int)
        return comparisons.anniversary(held, rule.value, now, is_day=is_day)
    span = (span_of_days if is_day else span_of_time)(operator, rule.value, now)
    if operator == "inactive_days":
        return comparisons.before_or_never(held, span)
    return comparisons.within(held, span)
