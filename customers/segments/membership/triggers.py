"""Segment triggers: an event that fits re-evaluates its customer, or adds the customer to a list or removes them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Segment, SegmentTrigger
from customers.segments.language import event_types, personal, rules
from customers.segments.language.ast import Attribute, Behaviour, dump
from customers.segments.language.event_types import ORDERS, EventType
from customers.segments.language.rules import RuleError
from customers.segments.membership import members
from customers.segments.membership.refresh import refresh_for
from customers.segments.sql.behaviour import CUSTOMER_ID, IsAmong, events_of
from customers.segments.sql.compile import attribute
from customers.timeline import Row
from customers.timeline.types import BY_MACHINES

logger = logging.getLogger(__name__)

Action = SegmentTrigger.Action


def check(event: object, where: object, action: str, kind: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the event and `where` of a trigger as they are stored. Raises RuleError.

    Only a static segment's list can change, and only a dynamic segment can be re-evaluated: `kind` is the segment's.
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
    """Return an event and its `where` as they are stored. Raises RuleError, also for events of bots and masked properties."""
    found = event_types.find(event) if isinstance(event, str) else None
    if found is None:
        raise RuleError([{"path": "event", "message": _("This is not the name of an event.")}])
    if found.name in BY_MACHINES:
        message = _("What a mail program or a scanner does triggers nothing.")
        raise RuleError([{"path": "event", "message": message}])
    conditions = rules.where(where, found)
    personal.check_where(found, conditions)
    return found.name, [dump(each) for each in conditions]


def fire(rows: Sequence[Row]) -> None:
    """Let the active triggers on these events act on the customers whose events fit."""
    events = {row.type for row in rows}
    found = SegmentTrigger.objects.filter(event__in=events, is_active=True)
    for trigger in found.select_related("segment").order_by("segment_id", "pk"):
        try:
            fitting = sorted(fitting_events(trigger.event, trigger.where, rows))
        except RuleError:
            logger.warning("Trigger %s no longer fits its event.", trigger.pk)
            continue
        if fitting:
            _act(trigger, fitting)


def fitting_events(
    event: str, where: object, rows: Sequence[Row], *, since: datetime | None = None
) -> dict[int, Row]:
    """Return the first event among the rows that fits `where` and happened after `since`, by its customer. Raises RuleError."""
    first: dict[int, Row] = {}
    for row in fitting_rows(event, where, rows, since=since):
        first.setdefault(row.customer_id, row)
    return first


def fitting_rows(
    event: str, where: object, rows: Sequence[Row], *, since: datetime | None = None
) -> list[Row]:
    """Return the rows of an event that fit `where` and happened after `since`. Raises RuleError."""
    found = event_types.find(event)
    assert found
    of_event = [row for row in rows if row.type == event]
    fitting = events_of(_any(found, rules.where(where, found)), timezone.now(), attribute)
    if found.rows is ORDERS:
        # an order that was taken back meanwhile starts nothing
        fitting = fitting.exclude(refunded__gt=0, refunded__gte=F("amount"))
    if since:
        fitting = fitting.filter(**{f"{found.rows.when}__gte": since})
    key = "pk" if found.rows is not ORDERS else "external_id"
    chosen = {*fitting.filter(_is_among(of_event, found)).values_list(CUSTOMER_ID, key)}
    return [
        row
        for row in of_event
        if (row.customer_id, row.id if key == "pk" else _order(row)) in chosen
    ]


def _is_among(rows: Sequence[Row], event: EventType) -> Q:
    """Match the rows that the rule reads with these rows, or with the orders that they name."""
    if event.rows is not ORDERS:
        return Q(IsAmong("pk", [row.id for row in rows]))
    buyers = [row.customer_id for row in rows]
    return Q(IsAmong(CUSTOMER_ID, buyers), external_id__in=[_order(row) for row in rows])


def _order(row: Row) -> str:
    return str(row.properties.get("order", "")) if isinstance(row.properties, dict) else ""


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
