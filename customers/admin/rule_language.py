"""The rule language for the rule builder: fields by group, operators by type, and all labels."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm import masking
from customers.segments import event_types, fields, is_personal, is_personal_property


def language() -> dict[str, Any]:
    """Return the data that static/kindling/rules/language.js reads, without what the user may not compare."""
    return {
        "fields": [
            {**_described(field), "group": str(group)}
            for group, field in _in_groups(fields.known())
            if not (masking.is_on() and is_personal(field))
        ],
        "events": [_event(each) for each in event_types.in_use()],
        "attribute": fields.ATTRIBUTE,
        "operators": {str(kind): each for kind, each in fields.OPERATORS.items()},
        "count_operators": fields.NUMERIC,
    }


def _event(event: event_types.EventType) -> dict[str, Any]:
    return {
        "name": event.name,
        "label": str(event.label).capitalize(),
        "properties": [
            _described(each)
            for each in event.properties
            if not (masking.is_on() and is_personal_property(event, each.name))
        ],
    }


def _described(field: fields.Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": str(field.label).capitalize(),
        "type": str(field.type),
        "choices": {value: str(label) for value, label in field.choices.items()},
    }


def _in_groups(known: list[fields.Field]) -> list[tuple[Any, fields.Field]]:
    by_name = {field.name: field for field in known}
    grouped = [
        (group, by_name.pop(name)) for group, names in GROUPS for name in names if name in by_name
    ]
    return [*grouped, *((PERSON, field) for field in by_name.values())]


WORDS: dict[str, Any] = {
    "AND": _("All of"),
    "OR": _("Any of"),
    "not": _("Not"),
    "connect": _("Connective"),
    "rules": _("Rules"),
    "rule": _("Rule"),
    "group": _("Group"),
    "rule_number": _("Rule %s"),
    "group_number": _("Group %s"),
    "everyone": _("No rules: all customers match."),
    "no_one": _("No rules: no customer matches."),
    "up": _("Move up"),
    "down": _("Move down"),
    "drag": _("Drag to move"),
    "duplicate": _("Duplicate"),
    "remove": _("Remove"),
    "field": _("Field"),
    "choose_field": _("Type to find a field"),
    "attributes": _("Attributes"),
    "behaviour": _("Events"),
    "operator": _("Operator"),
    "value": _("Value"),
    "choose": _("choose …"),
    "add_value": _("add a value"),
    "and": _("and"),
    "days": _("days"),
    "measure": _("Measure"),
    "times": _("times"),
    "sum_of": _("total %s"),
    "in_last": _("in the last"),
    "within": _("Days back"),
    "ever": _("ever"),
    "where": _("where"),
    "add_where": _("Add a condition on the event"),
    "property": _("Property"),
    "choose_property": _("property"),
    "drafts": _("Incomplete rules, not in the preview: %s"),
    "unreadable": _("The JSON is not a group of rules. Correct it in the JSON tab."),
    "failed": _("The server cannot be reached. Try again."),
    "operators": {
        "=": _("is"),
        "!=": _("is not"),
        ">": _("more than"),
        ">=": _("at least"),
        "<": _("less than"),
        "<=": _("at most"),
        "between": _("between"),
        "contains": _("contains"),
        "not_contains": _("does not contain"),
        "starts_with": _("starts with"),
        "ends_with": _("ends with"),
        "in": _("is one of"),
        "not_in": _("is none of"),
        "before": _("before"),
        "after": _("after"),
        "on": _("on"),
        "in_last_days": _("in the last"),
        "inactive_days": _("not in the last"),
        "anniversary_in_days": _("anniversary in the next"),
        "contains_any": _("contains any of"),
        "contains_all": _("contains all of"),
        "contains_none": _("contains none of"),
        "is_set": _("is known"),
        "is_not_set": _("is not known"),
    },
}

GROUPS: list[tuple[Any, tuple[str, ...]]] = [
    (
        _("Value and orders"),
        (
            "total_spend",
            "average_order_value",
            "lifetime_value",
            "order_count",
            "last_order_at",
            "purchased_categories",
            "purchased_products",
            "favourite_category",
            "favourite_brand",
        ),
    ),
    (
        _("Engagement"),
        (
            "lifecycle_status",
            "visit_count",
            "last_visit_at",
            "last_interaction_at",
            "registered_at",
            "engagement_score",
            "churn_risk",
            "satisfaction",
            "rfm_segment",
            "recency_score",
            "frequency_score",
            "monetary_score",
            "preferred_channel",
        ),
    ),
    (_("Lists"), ("segment", "tags", "interests", "subscribed")),
    (_("Place"), ("city", "region", "country", "language", "timezone")),
]
"""Fields of the builder by group; a field in no group is in PERSON."""

PERSON = _("Person")
