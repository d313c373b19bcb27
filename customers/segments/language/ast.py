"""Rules as a tree of typed parts, and their JSON."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from customers.segments.language import values
from customers.segments.language.event_types import EventType
from customers.segments.language.fields import Field
from customers.segments.language.values import Value

COUNT = "count"
SUM = "sum:"

Figure = Decimal | tuple[Decimal, ...]


@dataclass(frozen=True)
class Attribute:
    """A comparison of a field. `value` has the type of field and operator; None if the operator takes none."""

    field: Field
    operator: str
    value: Value = None


@dataclass(frozen=True)
class Behaviour:
    """A comparison of a customer's events: their number, or with `summed` the sum of a property; 0 without events.

    Only events of the last `within_days` days count, and only if all of `where` hold.
    """

    event: EventType
    operator: str
    value: Figure
    summed: Field | None = None
    within_days: int | None = None
    where: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class Group:
    """All (AND) or any (OR) of the conditions; with `negate` all other customers."""

    operator: str
    conditions: tuple[Rule, ...] = ()
    negate: bool = False


Rule = Group | Attribute | Behaviour


def dump(rule: Rule) -> dict[str, Any]:
    """Return the JSON of a tree, which `parse` reads again."""
    if isinstance(rule, Attribute):
        stored = {"field": rule.field.name, "operator": rule.operator}
        return stored if rule.value is None else {**stored, "value": values.to_json(rule.value)}
    if isinstance(rule, Behaviour):
        return _dump_behaviour(rule)
    stored_group = {
        "operator": rule.operator,
        "conditions": [dump(each) for each in rule.conditions],
    }
    return {**stored_group, "negate": True} if rule.negate else stored_group


def _dump_behaviour(rule: Behaviour) -> dict[str, Any]:
    stored: dict[str, Any] = {
        "event": rule.event.name,
        "operator": rule.operator,
        "value": values.to_json(rule.value),
    }
    if rule.summed:
        stored["aggregate"] = f"{SUM}{rule.summed.name}"
    if rule.within_days is not None:
        stored["within_days"] = rule.within_days
    if rule.where:
        stored["where"] = [dump(each) for each in rule.where]
    return stored
