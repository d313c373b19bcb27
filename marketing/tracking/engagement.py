"""What recipients do with a message, noted on the message and on the person's timeline: in any order, twice, or late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from crm.api import ids
from customers import consent
from customers.models import Suppression
from customers.timeline import NewInteraction, record_interactions, types
from marketing.messages import transitions
from marketing.models import CampaignExecution

FIRST_TIMES = {
    types.MESSAGE_DELIVERED: "delivered_at",
    types.MESSAGE_BOUNCED: "bounced_at",
    types.MESSAGE_OPENED: "opened_at",
    types.MESSAGE_CLICKED: "clicked_at",
    types.MESSAGE_OPENED_BY_MACHINE: "opened_by_machine_at",
    types.MESSAGE_CLICKED_BY_MACHINE: "clicked_by_machine_at",
    types.MESSAGE_COMPLAINED: "complained_at",
    types.MESSAGE_CONVERTED: "converted_at",
    types.UNSUBSCRIBED: "unsubscribed_at",
}
"""The column of a message that keeps when each type happened first."""

BY_MACHINE = {types.MESSAGE_OPENED_BY_MACHINE, types.MESSAGE_CLICKED_BY_MACHINE}

ErrorKind = CampaignExecution.ErrorKind


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to one message; `type` is one of FIRST_TIMES. `bounce` is the kind of a bounce, `said` what was said."""

    execution_id: int
    type: str
    at: datetime
    link: str = ""
    order: str = ""
    event: str = ""
    revenue: Decimal | None = None
    bounce: str = ErrorKind.HARD_BOUNCE
    said: str = ""


@dataclass(frozen=True, slots=True)
class _Message:
    customer_id: int
    address: str
    run_id: int
    campaign_id: int
    channel: str
    variant: str
    simulated: bool
    opened: bool


def record(happenings: Iterable[Happening]) -> None:
    """Note what happened; what concerns messages that are gone is passed over.

    The first time of each type is kept on the message and marked `first` on the timeline. A click tells of an open, even where the
    pixel was blocked. An unsubscription is a consent withdrawn; an address that bounces for good or complains is suppressed. What a
    simulated recipient does changes nothing about the person.
    """
    noted = list(happenings)
    with transaction.atomic():
        messages = _lock(noted)
        noted = [each for each in noted if each.execution_id in messages]
        noted = _with_implied_opens(noted, messages)
        settled = transitions.confirm_sent({each.execution_id for each in noted})
        firsts = {each_type: _note_first_times(each_type, noted) for each_type in FIRST_TIMES}
        transitions.record_delivery(firsts[types.MESSAGE_DELIVERED])
        transitions.record_complaint(firsts[types.MESSAGE_COMPLAINED])
        transitions.record_bounce(_bounces(noted))
        _add_revenue(noted)
        record_interactions(
            [
                *_sent(settled, messages),
                *(
                    _interaction(each, messages[each.execution_id], first=_is_first(each, firsts))
                    for each in noted
                ),
            ]
        )
        for each in noted:
            if not messages[each.execution_id].simulated:
                _respect(each, messages[each.execution_id])


def _lock(noted: Sequence[Happening]) -> dict[int, _Message]:
    rows = (
        CampaignExecution.objects.filter(pk__in={each.execution_id for each in noted})
        .order_by("pk")
        .select_for_update(of=("self",))
        .values_list(
            "pk",
            "customer_id",
            "address",
            "run_id",
            "run__campaign_id",
            "run__campaign__channel",
            "variant",
            "run__simulated",
            "opened_at",
        )
    )
    return {row[0]: _Message(*row[1:-1], row[-1] is not None) for row in rows}


def _with_implied_opens(
    noted: Sequence[Happening], messages: Mapping[int, _Message]
) -> list[Happening]:
    opened = {pk for pk, message in messages.items() if message.opened}
    complete: list[Happening] = []
    for each in noted:
        if each.type == types.MESSAGE_CLICKED and each.execution_id not in opened:
            complete.append(Happening(each.execution_id, types.MESSAGE_OPENED, each.at))
        if each.type in {types.MESSAGE_OPENED, types.MESSAGE_CLICKED}:
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


def _bounces(noted: Sequence[Happening]) -> list[tuple[int, str, datetime, str]]:
    """The worst of each message."""
    worst: dict[int, Happening] = {}
    for each in noted:
        if each.type == types.MESSAGE_BOUNCED and (
            each.execution_id not in worst or each.bounce == ErrorKind.HARD_BOUNCE
        ):
            worst[each.execution_id] = each
    return [(pk, each.bounce, each.at, each.said) for pk, each in worst.items()]


def _sent(settled: Sequence[int], messages: Mapping[int, _Message]) -> list[NewInteraction]:
    """Nobody could tell of the sending of what was in doubt before."""
    times = CampaignExecution.objects.filter(pk__in=settled).values_list("pk", "sent_at")
    return [
        NewInteraction(
            customer_id=messages[pk].customer_id,
            type=types.MESSAGE_SENT,
            occurred_at=sent_at,
            properties=_properties(messages[pk]),
            campaign_id=messages[pk].campaign_id,
            execution_id=pk,
        )
        for pk, sent_at in times
        if sent_at
    ]


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
    properties = {**_properties(message), "first": first}
    if happening.type in BY_MACHINE:
        properties["machine"] = True
    if happening.type == types.MESSAGE_BOUNCED:
        properties["bounce"] = happening.bounce
    if happening.link:
        properties["link"] = happening.link
    if happening.order:
        properties["order"] = happening.order
    if happening.event:
        properties["event"] = happening.event
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


def _properties(message: _Message) -> dict[str, Any]:
    properties: dict[str, Any] = {"run": message.run_id, "channel": message.channel}
    if message.variant:
        properties["variant"] = message.variant
    if message.simulated:
        properties["simulated"] = True
    return properties


def _respect(happening: Happening, message: _Message) -> None:
    """What follows for the person: no more of what they do not want, and nothing to where nothing arrives."""
    name = ids.encode("msg", happening.execution_id)
    evidence = f"{name}: {happening.said}" if happening.said else name
    if happening.type == types.UNSUBSCRIBED:
        consent.opt_out(message.customer_id, message.channel, f"unsubscribe link of {name}")
    elif happening.type == types.MESSAGE_COMPLAINED:
        reason = Suppression.Reason.COMPLAINT
        consent.suppress(message.channel, message.address, reason, evidence)
    elif happening.type == types.MESSAGE_BOUNCED and happening.bounce == ErrorKind.HARD_BOUNCE:
        reason = Suppression.Reason.HARD_BOUNCE
        consent.suppress(message.channel, message.address, reason, evidence)
