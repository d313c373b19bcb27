"""The evidence for decisions about passages: events of their customers, by their time, and rules that customers match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from customers import timeline
from customers.models import Interaction, Order
from customers.segments import matching, triggers
from customers.timeline.types import ORDER_PLACED
from marketing.content import render_text
from marketing.workflows.passages import Passage
from marketing.workflows.reading import EventCondition

LARGEST_AMOUNT = Decimal(10) ** 12

Contexts = Callable[[Sequence[Passage]], Mapping[int, Mapping[str, Any]]]


class Period(NamedTuple):
    """The time in which an event counts for a passage, both ends in it; without an end until now."""

    since: datetime
    until: datetime | None = None

    def __contains__(self, moment: object) -> bool:
        return (
            isinstance(moment, datetime)
            and self.since <= moment
            and (self.until is None or moment <= self.until)
        )


def fitting_customers(
    rules: Mapping[str, Any], found: Iterable[Passage], now: datetime
) -> set[int]:
    """Return the ids of the customers of passages who match rules. Raises RuleError."""
    customers = sorted({each.customer_id for each in found})
    if not customers:
        return set()
    chosen = matching(dict(rules), now=now, among=customers)
    return set(chosen.values_list("pk", flat=True))


def first_events(
    condition: EventCondition, periods: Sequence[tuple[Passage, Period]], contexts: Contexts
) -> list[tuple[Passage, timeline.Row]]:
    """Return passages with the first event of their customer that fits, in their period and with the values they match.

    The timeline itself is asked: what a feed has not told yet counts, too. Raises RuleError, and ContentError for values to match that
    cannot be rendered.
    """
    if not periods:
        return []
    rows = _rows(
        condition,
        [passage.customer_id for passage, _period in periods],
        since=min(period.since for _passage, period in periods),
    )
    concerned = {row.customer_id for row in rows}
    periods = [each for each in periods if each[0].customer_id in concerned]
    wanted = _wanted(condition, [passage for passage, _period in periods], contexts)
    properties = properties_of(rows) if wanted else {}
    grouped: dict[int, list[timeline.Row]] = defaultdict(list)
    for row in rows:
        grouped[row.customer_id].append(row)
    found = []
    for passage, period in periods:
        for row in grouped[passage.customer_id]:
            values = wanted.get(passage.id)
            if row.occurred_at in period and (not values or _has(properties[row.id], values)):
                found.append((passage, row))
                break
    return found


def fitting(condition: EventCondition, rows: Sequence[timeline.Row]) -> list[timeline.Row]:
    """Return the rows of the timeline that fit a condition, whatever passages match. Raises RuleError."""
    of_event = [row for row in rows if row.type == condition.event]
    if not of_event or not (condition.where or condition.event == ORDER_PLACED):
        return of_event
    return triggers.fitting_rows(condition.event, list(condition.where), of_event)


def properties_of(rows: Iterable[timeline.Row]) -> dict[int, Mapping[str, Any]]:
    """Return the properties of events by their id; an order's attributes count as its event's."""
    rows = list(rows)
    found: dict[int, Mapping[str, Any]] = {
        row.id: row.properties if isinstance(row.properties, dict) else {} for row in rows
    }
    orders = [row for row in rows if row.type == ORDER_PLACED]
    if orders:
        attributes = _attributes(orders, found)
        for row in orders:
            key = (row.customer_id, str(found[row.id].get("order", "")))
            found[row.id] = {**attributes.get(key, {}), **found[row.id]}
    return found


def told(row: timeline.Row) -> dict[str, Any]:
    """Return an event as the reason of a decision."""
    return {"event": row.type, "id": row.id, "at": row.occurred_at.isoformat()}


def as_text(value: object) -> str:
    """Return a property as text: true and false as JSON writes them, nothing for none."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_amount(value: object) -> Decimal | None:
    """Return a property as an amount of money; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < LARGEST_AMOUNT else None


def _rows(
    condition: EventCondition, customers: Sequence[int], *, since: datetime
) -> list[timeline.Row]:
    events = Interaction.objects.filter(
        customer__in=set(customers), type=condition.event, occurred_at__gte=since
    )
    columns = ("pk", "customer_id", "type", "occurred_at", "properties")
    ordered = events.order_by("occurred_at", "pk").values_list(*columns)
    return fitting(condition, [timeline.Row(*row) for row in ordered])


def _wanted(
    condition: EventCondition, found: Sequence[Passage], contexts: Contexts
) -> dict[int, dict[str, str]]:
    if not condition.match or not found:
        return {}
    of = contexts(found)
    return {
        each.id: {name: render_text(text, of[each.id]) for name, text in condition.match.items()}
        for each in found
    }


def _has(properties: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(as_text(properties.get(name)) == value for name, value in wanted.items())


def _attributes(
    rows: Sequence[timeline.Row], properties: Mapping[int, Mapping[str, Any]]
) -> dict[tuple[int, str], Mapping[str, Any]]:
    orders = Order.objects.filter(
        customer__in={row.customer_id for row in rows},
        external_id__in={str(properties[row.id].get("order", "")) for row in rows},
        kind=Order.Kind.ORDER,
    )
    columns = ("customer_id", "external_id", "attributes")
    return {
        (customer, order): attributes or {}
        for customer, order, attributes in orders.values_list(*columns)
    }
