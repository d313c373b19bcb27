"""The rule language as the builder has to know it: fields by group, and the operators of each kind."""

from __future__ import annotations

from typing import Any

from customers.admin.rule_words import GROUPS, PERSON
from customers.segments.language import event_types
from customers.segments.language.event_types import EventType
from customers.segments.language.fields import ATTRIBUTE, Field, known
from customers.segments.language.operators import NUMERIC, OPERATORS


def language() -> dict[str, Any]:
    """JSON for static/kindling/rules/language.js."""
    return {
        "fields": [
            {**_described(field), "group": str(group)} for group, field in _in_groups(known())
        ],
        "events": [_event(each) for each in event_types.in_use()],
        "attribute": ATTRIBUTE,
        "operators": {str(kind): each for kind, each in OPERATORS.items()},
        "count_operators": NUMERIC,
    }


def _event(event: EventType) -> dict[str, Any]:
    return {
        "name": event.name,
        "label": str(event.label).capitalize(),
        "properties": [_described(each) for each in event.properties],
    }


def _described(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": str(field.label).capitalize(),
        "type": str(field.type),
        "choices": {value: str(label) for value, label in field.choices.items()},
    }


def _in_groups(fields: list[Field]) -> list[tuple[Any, Field]]:
    by_name = {field.name: field for field in fields}
    grouped = [
        (group, by_name.pop(name)) for group, names in GROUPS for name in names if name in by_name
    ]
    return [*grouped, *((PERSON, field) for field in by_name.values())]
