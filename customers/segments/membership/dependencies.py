"""The dependencies of rules: topics of events, and the passing of time.

Membership of a customer can only change after an event of a topic that the rules read, or when a window of time moves past a date
of the customer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Substr
from django.db.models.lookups import In
from django.utils import timezone

from customers.segments.language import validate
from customers.segments.language.ast import Attribute, Behaviour, Group, Rule
from customers.segments.language.fields import RELATIVE, FieldType
from customers.segments.lookups import comparisons, json_values
from customers.segments.lookups.comparisons import (
    A_DAY,
    A_MICROSECOND,
    DateRange,
    days_of_the_year,
    site_zone,
)
from customers.segments.sql.behaviour import CUSTOMER_ID, events_of
from customers.segments.sql.compile import attribute
from customers.timeline import types

ANYTHING = "anything"
"""Topic of changes that can affect every rule, such as a new customer."""
CUSTOMER = "customer"
"""Topic of the customer's own fields, interests and profile."""
ORDERS = "orders"
TIMELINE = "timeline"
SEGMENT = "segment:"
EVENT = "event:"

_FROM_ORDERS = {
    *("total_spend", "order_count", "average_order_value", "last_order_at", "last_interaction_at"),
}
_FROM_TIMELINE = {"last_interaction_at", "last_visit_at", "visit_count"}
_PURCHASES = {"purchased_categories", "purchased_products"}


def topics(rule: Rule) -> frozenset[str]:
    """Return the topics that a rule reads; `segment:` alone is any segment."""
    return frozenset(_topics(rule)) | {ANYTHING}


def event_topic(name: str) -> str:
    """Return the topic of a timeline event; orders have their own topic, because they can be corrected."""
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
    if name in _FROM_ORDERS:
        yield ORDERS
    if name in _FROM_TIMELINE:
        yield TIMELINE


ANNIVERSARY = "anniversary_in_days"
LONGEST_GAP = timedelta(days=60)
"""After a longer time a full refresh is quicker."""


def depends_on_time(rule: Rule) -> bool:
    """Return whether membership can change without an event."""
    match rule:
        case Group():
            return any(map(depends_on_time, rule.conditions))
        case Behaviour():
            return rule.within_days is not None or any(map(depends_on_time, rule.where))
    return rule.operator in RELATIVE or rule.field.name == "age"


def crossed_windows(rule: Rule, since: datetime, until: datetime) -> Q:
    """Return the condition on customers whose membership may differ between two moments; it may include others, too."""
    return reduce(or_, _changes(rule, since, until), Q(pk__in=[]))


def _changes(rule: Rule, since: datetime, until: datetime) -> list[Q]:
    if not depends_on_time(rule):
        return []
    match rule:
        case Group():
            return [each for part in rule.conditions for each in _changes(part, since, until)]
        case Behaviour():
            return _of_behaviour(rule, since, until)
    found = _of_attribute(rule, since, until)
    return [] if found is None else [found]


def _of_behaviour(rule: Behaviour, since: datetime, until: datetime) -> list[Q]:
    crossed = [
        moved for each in rule.where if (moved := _of_attribute(each, since, until)) is not None
    ]
    if rule.within_days is not None:
        crossed.append(
            _crossed(F(rule.event.rows.when), rule.within_days, since, until + A_MICROSECOND)
        )
    rows = events_of(replace(rule, where=(), within_days=None), until, attribute)
    return [Q(pk__in=rows.filter(each).values(CUSTOMER_ID)) for each in crossed]


def _of_attribute(rule: Attribute, since: datetime, until: datetime) -> Q | None:
    """Return None if the two moments do not differ for the rule."""
    if not depends_on_time(rule):
        return None
    held: Any = rule.field.at(until)
    first, last = (timezone.localdate(at, site_zone()) for at in (since, until))
    if rule.field.type is FieldType.DATE and not rule.field.is_day and rule.operator != ANNIVERSARY:
        assert isinstance(rule.value, int)
        return _crossed(held, rule.value, since, until + A_MICROSECOND)
    if first == last:
        return None
    if rule.field.name == "age":
        return _has_birthday(since, until)
    assert isinstance(rule.value, int)
    if rule.operator == ANNIVERSARY:
        return _anniversary_moved(rule, held, since, until)
    if rule.field.type is FieldType.ANY:
        return json_values.within_days(held, first - rule.value * A_DAY, last + A_DAY)
    return _crossed(held, rule.value, first, last + A_DAY)


def _crossed(held: Any, days: int, since: Any, until: Any) -> Q:
    """Match dates that crossed one of the ends of the window."""
    fell_out = comparisons.within(held, DateRange(since - days * A_DAY, until - days * A_DAY))
    return fell_out | comparisons.within(held, DateRange(since, until))


def _has_birthday(since: datetime, until: datetime) -> Q:
    days = (until - since).days + 2  # the day before covers 29 February
    return comparisons.anniversary(F("date_of_birth"), days, since - A_DAY, is_day=True)


def _anniversary_moved(rule: Attribute, held: Any, since: datetime, until: datetime) -> Q:
    assert isinstance(rule.value, int)
    then, now = (set(days_of_the_year(at, rule.value)) for at in (since, until))
    moved = sorted(then ^ now)
    if rule.field.type is FieldType.ANY:
        written = [f"{month:02}-{day:02}" for month, day in moved]
        return Q(In(Substr(json_values.iso_day(held), 6, 5), written))
    return comparisons.on_days_of_the_year(held, moved, is_day=rule.field.is_day)
