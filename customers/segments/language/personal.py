"""Decide which comparisons of rules are of personal data, and hide their values from users who may not see it.

Users whose personal data is masked apply stored rules on it, but neither write nor read them. Personal are the masked fields of
customers, what follows from them, and the properties of events that are masked on the timeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from crm import masking
from customers.models import Customer
from customers.models.interaction import COUNTED
from customers.segments.language import event_types
from customers.segments.language.ast import Attribute, Behaviour, Group, Rule, dump
from customers.segments.language.event_types import ORDERS, EventType
from customers.segments.language.fields import Field
from customers.segments.language.rules import RuleError, parse, where

DERIVED = frozenset({"name", "age"})
"""Fields of rules that follow from masked columns."""
IN_COLUMNS = frozenset({event_types.TIME, "campaign"})
"""Properties of events that stand outside the masked payload."""


def is_personal(field: Field) -> bool:
    """Return whether a field of customers is personal data."""
    return bool(field.attribute) or field.name in DERIVED or field.name in Customer.personal


def is_personal_property(event: EventType, name: str) -> bool:
    """Return whether a property of an event is personal data; those of orders are not."""
    return event.rows is not ORDERS and name not in IN_COLUMNS and name not in COUNTED


def is_of_personal_data(rule: Rule) -> bool:
    """Return whether the value that a rule compares is personal data."""
    if isinstance(rule, Attribute):
        return is_personal(rule.field)
    if isinstance(rule, Group) or rule.summed is None:
        return False
    return is_personal_property(rule.event, rule.summed.name)


def check(rule: Rule) -> None:
    """Raise RuleError, with the path of each, for comparisons of personal data."""
    if found := list(_found(rule)):
        raise RuleError([_refusal(path, field) for path, field in found])


def check_where(event: EventType, conditions: Sequence[Attribute]) -> None:
    """Raise RuleError for conditions on masked properties of an event."""
    if not masking.is_on():
        return
    if found := list(_found_where(event, conditions, "where")):
        raise RuleError([_refusal(path, field) for path, field in found])


def hide(rule: Rule) -> Rule:
    """Return the rule with masks as the values of personal comparisons, if masking is on."""
    if not masking.is_on():
        return rule
    if isinstance(rule, Group):
        return replace(rule, conditions=tuple(map(hide, rule.conditions)))
    if isinstance(rule, Behaviour):
        hidden = replace(rule, where=_hide_where(rule.event, rule.where))
        mask: Any = masking.MASK
        return replace(hidden, value=mask) if is_of_personal_data(rule) else hidden
    return _masked(rule) if is_personal(rule.field) else rule


def shown_rules(rules: Any) -> Any:
    """Return the JSON of rules as the user may see it; of invalid rules nothing, if masking is on."""
    if not masking.is_on() or not rules:
        return rules
    try:
        return dump(hide(parse(rules)))
    except RuleError:
        return {}


def shown_conditions(event: str, conditions: Any) -> Any:
    """Return the JSON of conditions on an event as the user may see it; of invalid ones nothing, if masking is on."""
    found = event_types.find(event)
    if not masking.is_on() or not conditions:
        return conditions
    try:
        return (
            [dump(each) for each in _hide_where(found, where(conditions, found))] if found else []
        )
    except RuleError:
        return []


def _hide_where(event: EventType, conditions: Sequence[Attribute]) -> tuple[Attribute, ...]:
    return tuple(
        _masked(each) if is_personal_property(event, each.field.name) else each
        for each in conditions
    )


def _masked(rule: Attribute) -> Attribute:
    return rule if rule.value is None else replace(rule, value=masking.MASK)


def _found(rule: Rule, path: str = "") -> Iterator[tuple[str, Field]]:
    """Yield the path and the field of each personal comparison."""
    if isinstance(rule, Group):
        for at, each in enumerate(rule.conditions):
            yield from _found(each, f"{path}.conditions[{at}]".removeprefix("."))
    elif isinstance(rule, Behaviour):
        if rule.summed and is_of_personal_data(rule):
            yield f"{path}.aggregate", rule.summed
        yield from _found_where(rule.event, rule.where, f"{path}.where")
    elif is_personal(rule.field):
        yield f"{path}.field", rule.field


def _found_where(
    event: EventType, conditions: Sequence[Attribute], path: str
) -> Iterator[tuple[str, Field]]:
    for at, each in enumerate(conditions):
        if is_personal_property(event, each.field.name):
            yield f"{path}[{at}].field", each.field


def _refusal(path: str, field: Field) -> dict[str, str]:
    message = _("You may not use personal data in rules, such as the %(field)s.")
    return {"path": path, "message": message % {"field": field.label}}
