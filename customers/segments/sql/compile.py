"""Compile rules to a condition on customers: without joins, so no doubled rows, and never NULL if negated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import and_
from typing import Any, cast

from django.db.models import BooleanField, Exists, Func, OuterRef, Q, Value
from django.db.models.lookups import In
from django.utils import timezone

from crm.api import places
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from customers.segments.language.ast import Attribute, Behaviour, Group, Rule
from customers.segments.language.fields import POSITIVE_OF, FieldType
from customers.segments.language.rules import parse
from customers.segments.lookups import comparisons, json_values
from customers.segments.lookups.comparisons import IsNotTrue, range_of_days, range_of_time
from customers.segments.sql.behaviour import IsAmong, compile_behaviour

EVERYONE = Q(Value(True, output_field=BooleanField()))
NO_ONE = Q(Value(False, output_field=BooleanField()))


def matching(
    rules: dict[str, Any], *, now: datetime | None = None, among: Sequence[int] | None = None
) -> CustomerQuerySet:
    """Return the customers who match rules as of `now`; with `among`, of these keys alone. Raises RuleError."""
    return Customer.objects.filter(compile_rules(rules, now=now, among=among))


def compile_rules(
    rules: dict[str, Any], *, now: datetime | None = None, among: Sequence[int] | None = None
) -> Q:
    """Return the condition for `Customer.objects.filter()`. Raises RuleError.

    With `among` it matches those customers alone, and reads only their rows.
    """
    return compile_rule(parse(rules), now or timezone.now(), among)


def compile_rule(rule: Rule, now: datetime, among: Sequence[int] | None = None) -> Q:
    """Return the condition of a parsed rule as of `now`; erased customers match none. Raises NoPlace in a request (crm.api.places)."""
    places.count()
    found = _Compiler(now, among).rule(rule) & Q(erased_at=None)
    return found if among is None else Q(IsAmong("pk", among)) & found


@dataclass(frozen=True)
class _Compiler:
    now: datetime
    among: Sequence[int] | None

    def rule(self, rule: Rule) -> Q:
        match rule:
            case Group():
                return self._group(rule)
            case Behaviour():
                return compile_behaviour(rule, self.now, attribute, self.among)
        return attribute(rule, self.now)

    def _group(self, group: Group) -> Q:
        if not group.conditions:
            found = EVERYONE if group.operator == "AND" else NO_ONE
        elif group.operator == "OR" and len(group.conditions) > 1 and _reads_other_tables(group):
            found = self._union(group)
        else:
            found = Q(*map(self.rule, group.conditions), _connector=group.operator)
        if not group.negate:
            return found
        if _reads_other_tables(group):
            return ~Q(Exists(self._people().filter(found, pk=OuterRef("pk"))))
        return Q(IsNotTrue(found))

    def _union(self, group: Group) -> Q:
        """Return a union of one query for each condition: in an OR the planner looks other tables up for each customer."""
        first, *others = [
            self._people().filter(self.rule(each)).values("pk") for each in group.conditions
        ]
        return Q(pk__in=first.union(*others))

    def _people(self) -> CustomerQuerySet:
        people = Customer.objects.order_by()
        return people if self.among is None else people.filter(IsAmong("pk", self.among))


def _reads_other_tables(rule: Rule) -> bool:
    match rule:
        case Group():
            return any(map(_reads_other_tables, rule.conditions))
        case Behaviour():
            return True
    return rule.field.members is not None


def attribute(rule: Attribute, now: datetime) -> Q:
    """Return the condition of one comparison, on rows that have its field."""
    if rule.operator in POSITIVE_OF:
        positive = _positive(replace(rule, operator=POSITIVE_OF[rule.operator]), now)
        # the conditions of lists are never NULL, and a plain NOT EXISTS can be an anti-join
        return ~positive if rule.field.type is FieldType.LIST else Q(IsNotTrue(positive))
    return _positive(rule, now)


def _positive(rule: Attribute, now: datetime) -> Q:
    field, operator, value = rule.field, rule.operator, rule.value
    if field.type is FieldType.LIST:
        return _list(rule)
    held = field.at(now)
    if field.type is FieldType.ANY:
        return json_values.matches(cast(Func, held), operator, value, now)
    if field.compare and operator != "is_set":
        return field.compare(operator, value, now)
    if operator == "is_set":
        return ~comparisons.missing(held, as_text=field.type in {FieldType.TEXT, FieldType.CHOICE})
    if field.type is FieldType.DATE:
        return _date(rule, now)
    is_one_spelling = field.type is FieldType.CHOICE or field.clean
    if field.type is FieldType.ID or (is_one_spelling and operator in {"=", "in"}):
        wanted = value if isinstance(value, tuple) else (value,)
        return Q(In(held, [field.stored(str(each)) if field.stored else each for each in wanted]))
    if field.type in {FieldType.TEXT, FieldType.CHOICE}:
        return comparisons.text(held, operator, cast(str | tuple[str, ...], value))
    return comparisons.number(held, operator, cast(Decimal | tuple[Decimal, ...], value))


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
    dates = (range_of_days if is_day else range_of_time)(operator, rule.value, now)
    if operator == "inactive_days":
        return comparisons.before_or_never(held, dates)
    return comparisons.within(held, dates)
