"""Whose answer may have changed between two moments by nothing but the passing of time.

"In the last 30 days" changes for the people whose date has crossed one of the two ends of its window since; for everyone else the
answer is what it was. The condition found here may name a few too many, and never one too few.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Substr
from django.db.models.lookups import In
from django.utils import timezone

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
from customers.segments.sql.behaviour import CUSTOMER, events_of
from customers.segments.sql.compile import attribute

ANNIVERSARY = "anniversary_in_days"
LONGEST_GAP = timedelta(days=60)
"""After a longer time it is quicker, and needs no thought, to look at everyone again."""


def is_touched_by_time(rule: Rule) -> bool:
    """Whether the answer can change although nothing happens."""
    match rule:
        case Group():
            return any(map(is_touched_by_time, rule.conditions))
        case Behaviour():
            return rule.within_days is not None or any(map(is_touched_by_time, rule.where))
    return rule.operator in RELATIVE or rule.field.name == "age"


def may_have_changed(rule: Rule, since: datetime, until: datetime) -> Q:
    """The condition on customers whose answer may be another at `until` than it was at `since`."""
    return reduce(or_, _changes(rule, since, until), Q(pk__in=[]))


def _changes(rule: Rule, since: datetime, until: datetime) -> list[Q]:
    if not is_touched_by_time(rule):
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
    rows = events_of(Behaviour(rule.event, rule.operator, rule.value), until, attribute)
    return [Q(pk__in=rows.filter(each).values(CUSTOMER)) for each in crossed]


def _of_attribute(rule: Attribute, since: datetime, until: datetime) -> Q | None:
    """None where the two moments are no different for it."""
    if not is_touched_by_time(rule):
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
    """The date has come into the window at its near end, or fallen out at its far one."""
    fell_out = comparisons.within(held, DateRange(since - days * A_DAY, until - days * A_DAY))
    return fell_out | comparisons.within(held, DateRange(since, until))


def _has_birthday(since: datetime, until: datetime) -> Q:
    days = (until - since).days + 2  # the day before is taken in for the 29th of February
    return comparisons.anniversary(F("date_of_birth"), days, since - A_DAY, is_day=True)


def _anniversary_moved(rule: Attribute, held: Any, since: datetime, until: datetime) -> Q:
    assert isinstance(rule.value, int)
    then, now = (set(days_of_the_year(at, rule.value)) for at in (since, until))
    moved = sorted(then ^ now)
    if rule.field.type is FieldType.ANY:
        written = [f"{month:02}-{day:02}" for month, day in moved]
        return Q(In(Substr(json_values.iso_day(held), 6, 5), written))
    return comparisons.on_days_of_the_year(held, moved, is_day=rule.field.is_day)
