"""What recipients do with a message, noted on the message and on the person's timeline: in any order, twice, or late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from crm.api import ids
from customers import consent, events
from customers.ingest.record import NewInteraction, record_interactions
from marketing.models import CampaignExecution

FIRST_TIMES = {
    events.MESSAGE_DELIVERED: "delivered_at",
    events.MESSAGE_BOUNCED: "bounced_at",
    events.MESSAGE_OPENED: "opened_at",
    events.MESSAGE_CLICKED: "clicked_at",
    events.MESSAGE_CONVERTED: "converted_at",
    events.UNSUBSCRIBED: "unsubscribed_at",
}
"""The column of a message that keeps when each type happened first."""

State = CampaignExecution.State


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to one message; `type` is one of FIRST_TIMES."""

    execution_id: int
    type: str
    at: datetime
    link: str = ""
    order: str = ""
    revenue: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Message:
    customer_id: int
    run_id: int
    campaign_id: int
    channel: str
    variant: str
    simulated: bool
    opened: bool


def record(happenings: Iterable[Happening]) -> None:
    """Note what happened; what concerns messages that are gone is passed over.

    The first time of each type is kept on the message and marked `first` on the timeline. A click tells of an open, even where the
    pixel was blocked. An unsubscription is a consent withdrawn. What a simulated recipient does changes nothing about the person.
    """
    noted = list(happenings)
    with transaction.atomic():
        messages = _lock(noted)
        noted = [each for each in noted if each.execution_id in messages]
        noted = _with_implied_opens(noted, messages)
        firsts = {each_type: _note_first_times(each_type, noted) for each_type in FIRST_TIMES}
        _follow_states(firsts)
        _add_revenue(noted)
        record_interactions(
            [
                _interaction(each, messages[each.execution_id], first=_is_first(each, firsts))
                for each in noted
            ]
        )
        for each in noted:
            if each.type == events.UNSUBSCRIBED:
                _withdraw_consent(each, messages[each.execution_id])


def _lock(noted: Sequence[Happening]) -> dict[int, _Message]:
    rows = (
        CampaignExecution.objects.filter(pk__in={each.execution_id for each in noted})
        .order_by("pk")
        .select_for_update(of=("self",))
        .values_list(
            "pk",
            "customer_id",
            "run_id",
            "run__campaign_id",
            "run__campaign__channel",
            "variant",
            "run__simulated",
            "opened_at",
        )
    )
    return {
        pk: _Message(customer, run, campaign, channel, variant, simulated, opened_at is not None)
        for pk, customer, run, campaign, channel, variant, simulated, opened_at in rows
    }


def _with_implied_opens(
    noted: Sequence[Happening], messages: Mapping[int, _Message]
) -> list[Happening]:
    opened = {pk for pk, message in messages.items() if message.opened}
    complete: list[Happening] = []
    for each in noted:
        if each.type == events.MESSAGE_CLICKED and each.execution_id not in opened:
            complete.append(Happening(each.execution_id, events.MESSAGE_OPENED, each.at))
        if each.type in {events.MESSAGE_OPENED, events.MESSAGE_CLICKED}:
            opened.add(each.execution_id)
        complete.append(each)
    return complete


def _note_first_times(type: str, noted: Sequence[Happening]) -> set[int]:
    """Keep the time where there is none yet; returns the messages for which this was the first."""
    fresh = {each.execution_id: each.at for each in reversed(noted) if each.type == type}
    if not fresh:
        return set()
    column = FIRST_TIMES[type]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE marketing_campaignexecution AS message SET {column} = fresh.at
            FROM unnest(%s::bigint[], %s::timestamptz[]) AS fresh (id, at)
            WHERE message.id = fresh.id AND message.{column} IS NULL
            RETURNING message.id
            """,
            [list(fresh), list(fresh.values())],
        )
        return {row[0] for row in cursor.fetchall()}


def _is_first(happening: Happening, firsts: Mapping[str, set[int]]) -> bool:
    """True once a message and type: the first of several in one batch takes it."""
    waiting = firsts[happening.type]
    if happening.execution_id not in waiting:
        return False
    waiting.discard(happening.execution_id)
    return True


def _follow_states(firsts: Mapping[str, set[int]]) -> None:
    """Receipts move the state on; whoever opened or clicked settles a message that was in doubt."""
    arrived = firsts[events.MESSAGE_DELIVERED]
    proven = arrived | firsts[events.MESSAGE_OPENED] | firsts[events.MESSAGE_CLICKED]
    bounced = firsts[events.MESSAGE_BOUNCED]
    executions = CampaignExecution.objects
    if proven:
        executions.filter(pk__in=proven, state=State.UNCONFIRMED).update(
            state=State.SENT, error="", lease=None
        )
    if arrived:
        executions.filter(pk__in=arrived, state=State.SENT).update(state=State.DELIVERED)
    if bounced:
        executions.filter(
            pk__in=bounced, state__in=[State.SENT, State.DELIVERED, State.UNCONFIRMED]
        ).update(state=State.BOUNCED, lease=None)


def _add_revenue(noted: Sequence[Happening]) -> None:
    earned = [each for each in noted if each.revenue]
    if not earned:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_campaignexecution AS message SET revenue = message.revenue + earned.sum
            FROM (
                SELECT id, sum(revenue) FROM unnest(%s::bigint[], %s::numeric[]) AS one (id, revenue)
                GROUP BY id
            ) AS earned (id, sum)
            WHERE message.id = earned.id
            """,
            [[each.execution_id for each in earned], [each.revenue for each in earned]],
        )


def _interaction(happening: Happening, message: _Message, *, first: bool) -> NewInteraction:
    properties: dict[str, Any] = {
        "run": message.run_id,
        "channel": message.channel,
        "first": first,
    }
    if message.variant:
        properties["variant"] = message.variant
    if message.simulated:
        properties["simulated"] = True
    if happening.link:
        properties["link"] = happening.link
    if happening.order:
        properties["order"] = happening.order
    if happening.revenue is not None:
        properties["revenue"] = str(happening.revenue)
    return NewInteraction(
        customer_id=message.customer_id,
        type=happening.type,
        occurred_at=happening.at,
        properties=properties,
        campaign_id=message.campaign_id,
        execution_id=happening.execution_id,
    )


def _withdraw_consent(happening: Happening, message: _Message) -> None:
    if not message.simulated:
        evidence = f"unsubscribe link of {ids.encode('msg', happening.execution_id)}"
        consent.opt_out(message.customer_id, message.channel, evidence)
