"""Engagement with a message, recorded on the message and on the customer's timeline: events come in any order, twice, or late."""

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
"""The column of a message with the time of the first event of each type."""

BY_MACHINE = {types.MESSAGE_OPENED_BY_MACHINE, types.MESSAGE_CLICKED_BY_MACHINE}

ErrorKind = CampaignExecution.ErrorKind


@dataclass(frozen=True, slots=True)
class MessageEvent:
    """An event of one message; `type` is one of FIRST_TIMES, or MESSAGE_REVALUED.

    `bounce` is the error kind of a bounce, `detail` what the provider reported. `by_link` is an opt-out by the link of the message.
    """

    execution_id: int
    type: str
    at: datetime
    link: str = ""
    order: str = ""
    store: str = ""
    event: str = ""
    response_id: str = ""
    revenue: Decimal | None = None
    bounce: str = ErrorKind.HARD_BOUNCE
    detail: str = ""
    by_link: bool = False


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


def record(message_events: Iterable[MessageEvent]) -> None:
    """Record events of messages; those of deleted messages are ignored.

    The first event of each type sets its time on the message, and is marked `first` on the timeline. A click implies an open, where the
    pixel was blocked. An unsubscribe opts the customer out; an address that bounces permanently or complains is suppressed, unless the
    event is simulated; an opt-out by the link of a simulated message is not.
    """
    noted = list(message_events)
    with transaction.atomic():
        messages = _lock(noted)
        noted = [each for each in noted if each.execution_id in messages]
        noted = _with_implied_opens(noted, messages)
        confirmed = transitions.confirm_sent({each.execution_id for each in noted})
        firsts = {each_type: _note_first_times(each_type, noted) for each_type in FIRST_TIMES}
        transitions.record_delivery(firsts[types.MESSAGE_DELIVERED])
        transitions.record_complaint(firsts[types.MESSAGE_COMPLAINED])
        transitions.record_bounce(_bounces(noted))
        _add_revenue(noted)
        record_interactions(
            [
                *_sent(confirmed, messages),
                *(
                    _interaction(each, messages[each.execution_id], first=_is_first(each, firsts))
                    for each in noted
                ),
            ]
        )
        for each in noted:
            if each.by_link or not messages[each.execution_id].simulated:
                _update_consent(each, messages[each.execution_id])


def _lock(noted: Sequence[MessageEvent]) -> dict[int, _Message]:
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
    noted: Sequence[MessageEvent], messages: Mapping[int, _Message]
) -> list[MessageEvent]:
    opened = {pk for pk, message in messages.items() if message.opened}
    complete: list[MessageEvent] = []
    for each in noted:
        if each.type == types.MESSAGE_CLICKED and each.execution_id not in opened:
            complete.append(MessageEvent(each.execution_id, types.MESSAGE_OPENED, each.at))
        if each.type in {types.MESSAGE_OPENED, types.MESSAGE_CLICKED}:
            opened.add(each.execution_id)
        complete.append(each)
    return complete


def _note_first_times(type: str, noted: Sequence[MessageEvent]) -> set[int]:
    """Set the times of first events; returns the ids of messages that had none of the type."""
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


def _is_first(event: MessageEvent, firsts: Mapping[str, set[int]]) -> bool:
    """Return True once for a message and type: for the first of several in one batch."""
    unclaimed = firsts.get(event.type, set())
    if event.execution_id not in unclaimed:
        return False
    unclaimed.discard(event.execution_id)
    return True


def _bounces(noted: Sequence[MessageEvent]) -> list[tuple[int, str, datetime, str]]:
    """Return the worst bounce of each message."""
    worst: dict[int, MessageEvent] = {}
    for each in noted:
        if each.type == types.MESSAGE_BOUNCED and (
            each.execution_id not in worst or each.bounce == ErrorKind.HARD_BOUNCE
        ):
            worst[each.execution_id] = each
    return [(pk, each.bounce, each.at, each.detail) for pk, each in worst.items()]


def _sent(confirmed: Sequence[int], messages: Mapping[int, _Message]) -> list[NewInteraction]:
    """Return the timeline's entries of messages that were in doubt until now."""
    times = CampaignExecution.objects.filter(pk__in=confirmed).values_list("pk", "sent_at")
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


def _add_revenue(noted: Sequence[MessageEvent]) -> None:
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


def _interaction(event: MessageEvent, message: _Message, *, first: bool) -> NewInteraction:
    properties = {**_properties(message), "first": first}
    if event.type in BY_MACHINE:
        properties["machine"] = True
    if event.type == types.MESSAGE_BOUNCED:
        properties["bounce"] = event.bounce
    if event.link:
        properties["link"] = event.link
    if event.order:
        properties["order"] = event.order
    if event.store:
        properties["store"] = event.store
    if event.event:
        properties["event"] = event.event
    if event.response_id:
        properties["response_id"] = event.response_id
    if event.revenue is not None:
        properties["revenue"] = str(event.revenue)
    return NewInteraction(
        customer_id=message.customer_id,
        type=event.type,
        occurred_at=event.at,
        properties=properties,
        campaign_id=message.campaign_id,
        execution_id=event.execution_id,
    )


def _properties(message: _Message) -> dict[str, Any]:
    properties: dict[str, Any] = {"run": message.run_id, "channel": message.channel}
    if message.variant:
        properties["variant"] = message.variant
    if message.simulated:
        properties["simulated"] = True
    return properties


def _update_consent(event: MessageEvent, message: _Message) -> None:
    """Opt out the address and customer that unsubscribed, and suppress an address that complained or does not exist."""
    name = ids.encode("msg", event.execution_id)
    evidence = f"{name}: {event.detail}" if event.detail else name
    if event.type == types.UNSUBSCRIBED:
        consent.opt_out_addresses(
            message.channel,
            [message.address],
            f"unsubscribe link of {name}",
            customer_ids=[message.customer_id],
            at=event.at,
        )
    elif event.type == types.MESSAGE_COMPLAINED:
        reason = Suppression.Reason.COMPLAINT
        consent.suppress(message.channel, message.address, reason, evidence)
    elif event.type == types.MESSAGE_BOUNCED and event.bounce == ErrorKind.HARD_BOUNCE:
        reason = Suppression.Reason.HARD_BOUNCE
        consent.suppress(message.channel, message.address, reason, evidence)
