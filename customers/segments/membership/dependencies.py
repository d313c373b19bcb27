"""What a rule looks at, as topics: only when something of one of them happens to a person can the answer about them change."""

from __future__ import annotations

from collections.abc import Iterator

from customers.segments.language import validate
from customers.segments.language.ast import Attribute, Group, Rule
from customers.timeline import types

ANYTHING = "anything"
"""Something that may change every answer about a person, such as that they are new."""
CUSTOMER = "customer"
"""Who they are, their interests and their profile."""
ORDERS = "orders"
TIMELINE = "timeline"
SEGMENT = "segment:"
EVENT = "event:"

_KEPT_FROM_ORDERS = {
    *("total_spend", "order_count", "average_order_value", "last_order_at", "last_interaction_at"),
}
_KEPT_FROM_THE_TIMELINE = {"last_interaction_at", "last_visit_at", "visit_count"}
_PURCHASES = {"purchased_categories", "purchased_products"}


def topics(rule: Rule) -> frozenset[str]:
    """The topics that the rule reads; `segment:` alone is any segment."""
    return frozenset(_topics(rule)) | {ANYTHING}


def event_topic(name: str) -> str:
    """The topic of an event of the timeline; orders are one of their own, because they are corrected, too."""
    return ORDERS if name == types.ORDER_PLACED else f"{EVENT}{name}"


def _topics(rule: Rule) -> Iterator[str]:
    if isinstance(rule, Group):
        for each in rule.conditions:
            yield from _topics(each)
    elif isinstance(rule, Attribute):
        yield from _of_field(rule)
    else:
        yield event_topic(rule.event.name)


def _of_field(rule: Attribute) -> Iterator[str]:
    name = rule.field.name
    if name == validate.FIELD:
        slugs = rule.value if isinstance(rule.value, tuple) else (rule.value or "",)
        yield from (f"{SEGMENT}{slug}" for slug in slugs)
        return
    if name in _PURCHASES:
        yield ORDERS
        return
    yield CUSTOMER
    if name in _KEPT_FROM_ORDERS:
        yield ORDERS
    if name in _KEPT_FROM_THE_TIMELINE:
        yield TIMELINE
