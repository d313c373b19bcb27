"""Triggers: an event that fits has its person looked at again, or put on or taken off a static segment's list."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from customers import reactions
from customers.events import BY_MACHINES
from customers.models import Segment, SegmentTrigger
from customers.segments.language import event_types, rules
from customers.segments.language.ast import Attribute, Behaviour, dump
from customers.segments.language.event_types import EventType
from customers.segments.language.rules import RuleError
from customers.segments.membership import members
from customers.segments.membership.refresh import refresh_for
from customers.segments.sql.behaviour import CUSTOMER, IsAmong, events_of
from customers.segments.sql.compile import attribute

logger = logging.getLogger(__name__)

Action = SegmentTrigger.Action


def check(event: object, where: object, action: str, kind: str) -> tuple[str, list[dict[str, Any]]]:
    """The event and `where` of a trigger as they are stored. Raises RuleError.

    A list can only be changed where there is one, and rules only be followed where there are any: `kind` is the segment's.
    """
    name, conditions = check_event(event, where)
    fits = (action == Action.REEVALUATE) == (kind == Segment.Kind.DYNAMIC)
    if action and not fits:
        message = (
            _("A dynamic segment follows its rules: it can only be re-evaluated.")
            if kind == Segment.Kind.DYNAMIC
            else _("A static segment is a list: it has no rules to re-evaluate.")
        )
        raise RuleError([{"path": "action", "message": message}])
    return name, conditions


def check_event(event: object, where: object) -> tuple[str, list[dict[str, Any]]]:
    """The event and `where` of something that is triggered, as they are stored. Raises RuleError: also for what only machines do."""
    found = event_types.find(event) if isinstance(event, str) else None
    if found is None:
        raise RuleError([{"path": "event", "message": _("This is not the name of an event.")}])
    if found.name in BY_MACHINES:
        message = _("What a mail program or a scanner does triggers nothing.")
        raise RuleError([{"path": "event", "message": message}])
    return found.name, [dump(each) for each in rules.where(where, found)]


def fire(event: str, keys: Sequence[int]) -> None:
    """Let the active triggers on an event act on the people of those of its rows, given by key, that fit."""
    if not keys:
        return
    found = SegmentTrigger.objects.filter(event=event, is_active=True).select_related("segment")
    for trigger in found.order_by("segment_id", "pk"):
        try:
            fitting = people(trigger.event, trigger.where, keys)
        except RuleError:
            logger.warning("Trigger %s no longer fits its event.", trigger.pk)
            continue
        if fitting:
            _act(trigger, fitting)


def people(
    event: str, where: object, keys: Sequence[int], *, since: datetime | None = None
) -> list[int]:
    """The people of those rows of an event, given by key, that fit `where` and happened after `since`. Raises RuleError."""
    found = event_types.find(event)
    assert found
    rows = events_of(_any(found, rules.where(where, found)), timezone.now(), attribute)
    if since:
        rows = rows.filter(**{f"{found.rows.when}__gte": since})
    chosen = rows.filter(IsAmong("pk", keys)).order_by(CUSTOMER).values_list(CUSTOMER, flat=True)
    return list(chosen.distinct())


def _any(event: EventType, where: tuple[Attribute, ...]) -> Behaviour:
    return Behaviour(event, ">=", Decimal(1), where=where)


def _act(trigger: SegmentTrigger, people: Sequence[int]) -> None:
    segment = trigger.segment
    try:
        match trigger.action:
            case Action.REEVALUATE:
                refresh_for(segment, people)
            case Action.ADD:
                members.add(segment, people)
            case Action.REMOVE:
                members.remove(segment, people)
    except members.NotStatic:
        logger.warning("Trigger %s would change a list, but its segment has rules.", trigger.pk)


reactions.register(fire)
