"""Evaluate segment rules in plain Python, from their specification alone, to check the compiled SQL.

It shares no code with customers.segments. People are plain values; `Person.save()` writes one to the database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from customers.models import Customer, Interaction, Product, Segment, SegmentMembership, Suppression
from tests.factories.customers import make_customer, make_order

ZONE = ZoneInfo(settings.TIME_ZONE)
NEGATIVE = {"!=": "=", "not_contains": "contains", "not_in": "in", "contains_none": "contains_any"}
TEXTS = {"email", "first_name", "last_name", "name", "phone", "city", "country", "source"}
CHOICES = {"lifecycle_status"}
NUMBERS = {"total_spend", "average_order_value", "order_count", "visit_count", "age"}
DAYS = {"date_of_birth"}
MOMENTS = {"registered_at", "last_order_at", "last_visit_at", "last_interaction_at"}
PARTS = {"product", "category"}
LISTS = {"tags", "purchased_categories", "purchased_products", "subscribed", "segment"}


@dataclass(frozen=True)
class Line:
    product: str
    category: str
    amount: Decimal


@dataclass(frozen=True)
class Purchase:
    at: datetime
    lines: tuple[Line, ...]

    @property
    def amount(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))


@dataclass(frozen=True)
class Event:
    type: str
    at: datetime
    properties: dict[str, Any]


@dataclass
class Person:
    """Store a customer as plain values, with every field that rules can use."""

    columns: dict[str, Any] = field(default_factory=dict)
    purchases: tuple[Purchase, ...] = ()
    happenings: tuple[Event, ...] = ()
    segments: frozenset[str] = frozenset()
    suppressed: bool = False

    def save(self) -> Customer:
        customer = make_customer(**{"first_name": "", **self.columns})
        for purchase in self.purchases:
            products = [_product(line) for line in purchase.lines]
            order = make_order(customer, purchase.amount, purchase.at, products)
            for row, line in zip(order.lines.order_by("position"), purchase.lines, strict=True):
                order.lines.filter(pk=row.pk).update(amount=line.amount)
        Interaction.objects.bulk_create(
            Interaction(
                customer=customer, type=each.type, occurred_at=each.at, properties=each.properties
            )
            for each in self.happenings
        )
        for slug in self.segments:
            segment, _made = Segment.objects.get_or_create(slug=slug, defaults={"name": slug})
            SegmentMembership.objects.create(segment=segment, customer=customer)
        if self.suppressed:
            Suppression.objects.create(channel="email", address=customer.email or "")
        return customer


def _product(line: Line) -> Product:
    sku = f"{line.product}/{line.category}"
    product, _made = Product.objects.get_or_create(
        sku=sku, defaults={"name": line.product, "category": line.category}
    )
    return product


def matches(rule: dict[str, Any], person: Person, now: datetime) -> bool:
    """Return whether the person matches the rule now."""
    if "conditions" in rule:
        each = (matches(part, person, now) for part in rule["conditions"])
        found = all(each) if rule["operator"].upper() == "AND" else any(each)
        return found is not rule.get("negate", False)
    if "event" in rule:
        return _behaved(rule, person, now)
    return _attribute(rule["field"], rule["operator"], rule.get("value"), person, now)


def _attribute(name: str, operator: str, value: Any, person: Person, now: datetime) -> bool:
    if operator in NEGATIVE:
        return not _attribute(name, NEGATIVE[operator], value, person, now)
    if operator == "is_not_set":
        return not _attribute(name, "is_set", None, person, now)
    if name.startswith("attributes."):
        held = person.columns.get("attributes", {}).get(name.removeprefix("attributes."))
        return free(held, operator, value, now)
    if name in LISTS:
        return _listed({text.lower() for text in _list(name, person)}, operator, value)
    held = _held(name, person, now)
    if operator == "is_set":
        return held not in {None, ""}
    if name in TEXTS | CHOICES:
        return _text(held or None, operator, value)
    if name in NUMBERS:
        return _number(held, operator, value)
    return _day(held, operator, value, now) if name in DAYS else _moment(held, operator, value, now)


def _held(name: str, person: Person, now: datetime) -> Any:
    columns = person.columns
    if name == "name":
        return f"{columns.get('first_name', '')} {columns.get('last_name', '')}".strip()
    if name == "lifecycle_status":
        return columns.get(name, "lead")
    if name == "age":
        born, today = columns.get("date_of_birth"), now.astimezone(ZONE).date()
        return born and today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if name in {"total_spend", "order_count", "visit_count"}:
        return columns.get(name, 0)
    return columns.get(name)


def _list(name: str, person: Person) -> Iterable[str]:
    lines = [line for purchase in person.purchases for line in purchase.lines]
    match name:
        case "tags":
            return person.columns.get("tags", [])
        case "purchased_categories":
            return {line.category for line in lines} - {""}
        case "purchased_products":
            return {line.product for line in lines} | {
                f"{line.product}/{line.category}" for line in lines
            }
        case "segment":
            return person.segments
    out = person.columns.get("opted_out_channels", [])
    reached = set()
    if person.columns.get("email") and "email" not in out and not person.suppressed:
        reached.add("email")
    if person.columns.get("phone"):
        reached |= {"sms", "whatsapp"} - set(out)
    return reached


def _listed(held: set[str], operator: str, value: Any) -> bool:
    wanted = {text.lower() for text in (value if isinstance(value, list) else [value]) if text}
    match operator:
        case "is_set":
            return bool(held)
        case "contains_all":
            return wanted <= held
    return bool(wanted & held)


def _text(held: str | None, operator: str, value: Any) -> bool:
    if held is None:
        return False
    held = held.lower()
    if operator == "in":
        return held in {text.lower() for text in value}
    wanted = value.lower()
    match operator:
        case "contains":
            return wanted in held
        case "starts_with":
            return held.startswith(wanted)
        case "ends_with":
            return held.endswith(wanted)
    return held == wanted


def _number(held: Any, operator: str, value: Any) -> bool:
    if held is None:
        return False
    if operator == "between":
        return Decimal(str(value[0])) <= held <= Decimal(str(value[1]))
    wanted = Decimal(str(value))
    return {
        "=": held == wanted,
        "!=": held != wanted,
        ">": held > wanted,
        ">=": held >= wanted,
        "<": held < wanted,
        "<=": held <= wanted,
    }[operator]


def _moment(held: datetime | None, operator: str, value: Any, now: datetime) -> bool:
    if operator == "inactive_days":
        return held is None or held < now - timedelta(days=value)
    if held is None:
        return False
    if operator == "in_last_days":
        return now - timedelta(days=value) <= held <= now
    return _day(held.astimezone(ZONE).date(), operator, value, now)


def _day(held: date | None, operator: str, value: Any, now: datetime) -> bool:
    today = now.astimezone(ZONE).date()
    if operator == "inactive_days":
        return held is None or held < today - timedelta(days=value)
    if held is None:
        return False
    match operator:
        case "in_last_days":
            return today - timedelta(days=value) <= held <= today
        case "anniversary_in_days":
            return any(
                _is_anniversary(held, today + timedelta(days=ahead)) for ahead in range(value + 1)
            )
        case "between":
            return date.fromisoformat(value[0]) <= held <= date.fromisoformat(value[1])
    wanted = date.fromisoformat(value)
    return {"before": held < wanted, "after": held > wanted, "on": held == wanted}[operator]


def _is_anniversary(born: date, day: date) -> bool:
    if (born.month, born.day) == (2, 29) and (day + timedelta(days=1)).month == 3:
        return day.month == 2  # the last day of a February of either length
    return (born.month, born.day) == (day.month, day.day)


def free(held: Any, operator: str, value: Any, now: datetime) -> bool:
    """Return whether a free JSON value matches a positive operator; another type never matches."""
    if operator == "is_set":
        return held not in (None, "", [], {})
    if operator in {"contains_any", "contains_all"}:
        combine = all if operator == "contains_all" else any
        return combine(_in_list(held, each) for each in value)
    if operator == "contains":
        in_text = isinstance(value, str) and _text(_as_text(held), "contains", value)
        return in_text or _in_list(held, value)
    if operator == "in":
        return any(_same(held, each) for each in value)
    if operator == "=":
        return _same(held, value)
    if operator in {"starts_with", "ends_with"}:
        return _text(_as_text(held), operator, value)
    if operator in {"before", "after", "on", "in_last_days", "inactive_days"}:
        return _day(_as_day(held), operator, value, now)
    return _number(_as_number(held), operator, value)


def _as_text(held: Any) -> str | None:
    if isinstance(held, bool):
        return "true" if held else "false"
    return str(held) if isinstance(held, str | int | float) else None


def _as_number(held: Any) -> Decimal | None:
    is_number = isinstance(held, int | float) and not isinstance(held, bool)
    return Decimal(str(held)) if is_number else None


def _as_day(held: Any) -> date | None:
    is_day = isinstance(held, str) and re.match(r"\d{4}-\d\d-\d\d", held)
    return date.fromisoformat(held[:10]) if is_day else None


def _same(held: Any, value: Any) -> bool:
    if isinstance(value, bool):
        return held is value
    if isinstance(value, int | float):
        return _number(_as_number(held), "=", value)
    return _text(_as_text(held), "=", value)


def _in_list(held: Any, value: Any) -> bool:
    if isinstance(value, str):
        texts = [held] if isinstance(held, str) else held if isinstance(held, list) else []
        return value.lower() in {each.lower() for each in texts if isinstance(each, str)}
    return isinstance(held, list) and any(
        each == value and isinstance(each, bool) is isinstance(value, bool) for each in held
    )


def _behaved(rule: dict[str, Any], person: Person, now: datetime) -> bool:
    where = rule.get("where", [])
    rows = [
        row
        for row in _rows(rule["event"], person)
        if _within(row["at"], rule.get("within_days"), now)
        and all(_has(row, each, now) for each in where)
    ]
    aggregate = rule.get("aggregate", "count")
    if aggregate == "count":
        figure = Decimal(len({row["key"] for row in rows}))
    elif rule["event"] == "order_placed" and not {each["field"] for each in where} & PARTS:
        figure = sum({row["key"]: row["amount"] for row in rows}.values(), Decimal(0))
    else:
        name = aggregate.removeprefix("sum:").replace("amount", "line_amount")
        numbers = [row.get(name) for row in rows]
        figure = sum((number for number in map(_as_amount, numbers) if number), Decimal(0))
    return _number(figure, rule["operator"], rule["value"])


def _as_amount(held: Any) -> Decimal | None:
    if isinstance(held, str) and re.fullmatch(r"-?\d+(\.\d+)?", held):
        return Decimal(held)
    return held if isinstance(held, Decimal) else _as_number(held)


def _rows(event: str, person: Person) -> list[dict[str, Any]]:
    if event == "order_placed":
        return [
            {
                "key": number,
                "at": purchase.at,
                "amount": purchase.amount,
                "line_amount": line.amount,
                "product": line.product,
                "category": line.category,
            }
            for number, purchase in enumerate(person.purchases)
            for line in purchase.lines or [Line("", "", Decimal(0))]
        ]
    return [
        {**each.properties, "key": number, "at": each.at}
        for number, each in enumerate(person.happenings)
        if each.type == event
    ]


def _within(at: datetime, days: int | None, now: datetime) -> bool:
    return days is None or now - timedelta(days=days) <= at <= now


def _has(row: dict[str, Any], where: dict[str, Any], now: datetime) -> bool:
    held, operator, value = row.get(where["field"]), where["operator"], where.get("value")
    if operator in NEGATIVE:
        return not _has(row, {**where, "operator": NEGATIVE[operator]}, now)
    if operator == "is_not_set":
        return not _has(row, {**where, "operator": "is_set"}, now)
    if isinstance(held, Decimal):
        return operator == "is_set" or _number(held, operator, value)
    return free(held, operator, value, now)
