"""Why a customer gets no message: the closed list of skip reasons, as one condition for audiences and for the recheck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Case, CharField, Exists, OuterRef, Q, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from customers.consent import has_no_address, is_suppressed, is_unwanted
from customers.models import Customer
from marketing.messages.due import QuietWindow
from marketing.models import CampaignExecution, FrequencyRule, SendOnce

SkipReason = CampaignExecution.SkipReason
State = CampaignExecution.State

HANDED_OVER = (
    State.SENDING,
    State.UNCONFIRMED,
    State.SENT,
    State.DELIVERED,
    State.BOUNCED,
    State.COMPLAINED,
)
"""The states of a message that left, or may have."""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `messages` within `days`, by one channel ("": by all together)."""

    messages: int
    days: int
    channel: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules that decide whether and when a customer may receive a message."""

    channel: str
    topic: str = ""
    send_once_key: str = ""
    caps: tuple[Cap, ...] = ()
    quiet: tuple[QuietWindow, ...] = ()
    simulated: bool = False

    @property
    def depends_on_other_messages(self) -> bool:
        """Return whether two messages to one customer must not be judged at the same moment."""
        return bool(self.caps or self.send_once_key)


def frequency_caps(channel: str) -> tuple[Cap, ...]:
    """Return the active frequency caps of a channel."""
    rules = FrequencyRule.objects.filter(Q(channel="") | Q(channel=channel), active=True)
    columns = rules.order_by("pk").values_list("messages", "days", "channel")
    return tuple(Cap(*values) for values in columns)


def skip_reason(policy: Policy, *, address: str, customer: str = "", message: str = "") -> Case:
    """Return the skip reason of a row as an expression, "" for a row that may get a message.

    `address`, `customer` (a prefix) and `message` name the columns of its address, its customer and the key of its message; a message is
    no reason against itself.
    """
    whens = [
        When(has_no_address(address), then=Value(SkipReason.NO_ADDRESS)),
        When(
            is_unwanted(policy.channel, policy.topic, customer=customer),
            then=Value(SkipReason.NOT_SUBSCRIBED),
        ),
        When(is_suppressed(policy.channel, address), then=Value(SkipReason.SUPPRESSED)),
    ]
    customer_id = f"{customer}pk"
    if policy.send_once_key:
        received = _has_received(policy.send_once_key, customer_id, message)
        whens.append(When(received, then=Value(SkipReason.ALREADY_SENT)))
    for cap in policy.caps:
        reached = _has_reached(cap, customer_id, message, simulated=policy.simulated)
        whens.append(When(reached, then=Value(SkipReason.FREQUENCY_CAP)))
    return Case(*whens, default=Value(""), output_field=CharField())


@lru_cache
def skip_reason_sql(policy: Policy) -> tuple[str, tuple[Any, ...]]:
    """Return the skip reason as a subquery on the row that the statement around it calls `message`, and its parameters."""
    recipient = Customer.objects.filter(pk=RawSQL("message.customer_id", ())).annotate(
        to=RawSQL("message.address", (), output_field=CharField()),
        message=RawSQL("message.id", (), output_field=BigIntegerField()),
    )
    reason = skip_reason(policy, address="to", message="message")
    return recipient.annotate(reason=reason).values_list("reason").query.sql_with_params()


def lock_customers(policy: Policy, customer_ids: Sequence[int]) -> None:
    """Lock customers until the transaction ends, where the policy depends on their other messages.

    Two workers must not judge one customer at the same time. All workers take the locks in the same order, so that no two wait for each
    other.
    """
    if not policy.depends_on_other_messages:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_advisory_xact_lock(hashtextextended('message to', id))
            FROM (SELECT unnest(%s::bigint[]) AS id ORDER BY 1) AS customer
            """,
            [list(customer_ids)],
        )


def claim_send_once_key(policy: Policy, message_ids: Sequence[int]) -> None:
    """Record messages that leave as the ones of their send-once key."""
    if not policy.send_once_key or not message_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO marketing_sendonce (key, customer_id, execution_id)
            SELECT %s, customer_id, id FROM marketing_campaignexecution WHERE id = ANY(%s) ORDER BY customer_id
            ON CONFLICT (key, customer_id) DO UPDATE SET execution_id = excluded.execution_id
            """,
            [policy.send_once_key, list(message_ids)],
        )


def _has_received(key: str, customer_id: str, message: str) -> Exists:
    """Match a message of the key that left, or may have; a failed or skipped message frees its claim."""
    claims = SendOnce.objects.filter(key=key, customer=OuterRef(customer_id))
    if message:
        claims = claims.exclude(execution=OuterRef(message))
    return Exists(claims.filter(Q(execution=None) | Q(execution__state__in=HANDED_OVER)))


def _has_reached(cap: Cap, customer_id: str, message: str, *, simulated: bool) -> Exists:
    """Match the cap's number of messages within its days. Simulated messages count for simulated ones alone."""
    received = CampaignExecution.objects.filter(
        customer=OuterRef(customer_id),
        sending_at__gte=Now() - timedelta(days=cap.days),
        state__in=HANDED_OVER,
    )
    if message:
        received = received.exclude(pk=OuterRef(message))
    if cap.channel:
        received = received.filter(run__campaign__channel=cap.channel)
    if not simulated:
        received = received.filter(run__simulated=False)
    return Exists(received[cap.messages - 1 : cap.messages])
