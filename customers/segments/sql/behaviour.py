"""Compile an event rule to a condition on customers.

The events are grouped by customer in a subquery, which the planner joins once instead of looking events up for each customer.
A customer without events is in no group: where the rule matches such customers, the condition is that no group contradicts it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from django.db.models import (
    BooleanField,
    Count,
    Exists,
    Expression,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from customers.models import Order
from customers.segments.language.ast import Attribute, Behaviour
from customers.segments.language.event_types import ORDERS
from customers.segments.language.fields import POSITIVE_OF, FieldType
from customers.segments.lookups import comparisons, json_values
from customers.segments.lookups.comparisons import IsNotTrue, range_of_time

CUSTOMER_ID = "customer_id"

Compile = Callable[[Attribute, datetime], Q]


def array_of(keys: Sequence[int]) -> str:
    """Return keys as a PostgreSQL array literal: much faster than thousands of parameters."""
    return f"{{{','.join(map(str, keys))}}}"


class IsAmong(Func):
    """Match a key in a list, passed as one array of any length."""

    template = "%(expressions)s::bigint[])"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, key: str, keys: Sequence[int]) -> None:
        super().__init__(F(key), Value(array_of(keys), TextField()))


def compile_behaviour(
    rule: Behaviour, now: datetime, compile_attribute: Compile, among: Sequence[int] | None
) -> Q:
    """Return the condition for `Customer.objects.filter()`; with `among`, for a query over those customers alone."""
    rows = events_of(rule, now, compile_attribute)
    if among is not None:
        rows = rows.filter(IsAmong(CUSTOMER_ID, among))
    if rule.summed is None and (at_least_once := _compares_with_once(rule)) is not None:
        found = Q(Exists(rows.filter(customer=OuterRef("pk"))))
        return found if at_least_once else ~found
    fits = _compare(F("figure"), rule)
    if not _matches_zero(rule):
        return Q(_HasGroup(_figures(rows, rule, now).filter(fits)))
    return ~Q(_HasGroup(_figures(rows, rule, now).filter(Q(IsNotTrue(fits)))))


def events_of(rule: Behaviour, now: datetime, compile_attribute: Compile) -> QuerySet[Any]:
    """Return the rows that count: in the window, and with all of `where`. An order of several lines is several rows."""
    source = rule.event.rows
    conditions = [compile_attribute(each, now) for each in rule.where]
    if source is not ORDERS:
        types = {rule.event.name, rule.event.corrected_by} if rule.summed else {rule.event.name}
        conditions.append(Q(type__in=sorted(types - {""})))
    elif rule.summed is None:
        conditions.append(Q(kind=Order.Kind.ORDER))
    if rule.within_days is not None:
        dates = range_of_time("in_last_days", rule.within_days, now)
        conditions.append(comparisons.within(F(source.when), dates))
    return source.all().filter(*conditions)  # in one call: all conditions are on the same line


def figure_of(
    customer_id: int, rule: Behaviour, now: datetime, compile_attribute: Compile
) -> Decimal:
    """Return the figure that the rule compares, of one customer."""
    rows = events_of(rule, now, compile_attribute).filter(customer=customer_id)
    return Decimal(rows.order_by().aggregate(figure=_figure(rule, now))["figure"])


def _figures(rows: QuerySet[Any], rule: Behaviour, now: datetime) -> QuerySet[Any]:
    """Return one row for each customer with events: `customer_id` and `figure`."""
    by_customer = rows.order_by().values(CUSTOMER_ID)
    return by_customer.annotate(figure=_figure(rule, now)).values(CUSTOMER_ID)


def _figure(rule: Behaviour, now: datetime) -> Expression:
    by_parts = any(rule.event.rows.of_part(each.field.name) for each in rule.where)
    if rule.summed is None:
        return Count("pk", distinct=True) if by_parts else Count("*")
    held: Combinable = rule.summed.at(now)
    if by_parts and (part := dict(rule.event.rows.whole_of).get(rule.summed.name)):
        held = part
    if rule.summed.type is FieldType.ANY:
        held = json_values.amount(held)
    return Coalesce(Sum(held), Decimal(0))


def _compare(figure: Combinable, rule: Behaviour) -> Q:
    if rule.operator in POSITIVE_OF:
        return Q(IsNotTrue(comparisons.number(figure, POSITIVE_OF[rule.operator], rule.value)))
    return comparisons.number(figure, rule.operator, rule.value)


def _matches_zero(rule: Behaviour) -> bool:
    value = rule.value
    if isinstance(value, tuple):
        return value[0] <= 0 <= value[1]
    return {
        "=": value == 0,
        "!=": value != 0,
        ">": value < 0,
        ">=": value <= 0,
        "<": value > 0,
        "<=": value >= 0,
    }[rule.operator]


def _compares_with_once(rule: Behaviour) -> bool | None:
    """Return True for "at least once", False for "never", however written; None for any other number."""
    match rule.operator, rule.value:
        case (">=", 1) | (">" | "!=", 0):
            return True
        case ("<", 1) | ("=" | "<=", 0):
            return False
    return None


class _HasGroup(Expression):
    """EXISTS over a grouped query, with the groups in FROM so that the planner can join them."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, groups: QuerySet[Any]) -> None:
        super().__init__()
        self.groups = groups
        self.customer: Any = F("pk")

    def get_source_expressions(self) -> list[Any]:
        return [self.customer]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.customer,) = exprs

    def copy(self) -> Self:
        copied = super().copy()
        copied.groups = self.groups.all()
        return copied

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        groups, parameters = self.groups.query.get_compiler(connection=connection).as_sql()
        customer, of_customer = compiler.compile(self.customer)
        return (
            f"EXISTS (SELECT FROM ({groups}) did WHERE did.{CUSTOMER_ID} = {customer})",
            (*parameters, *of_customer),
        )
