"""Decisions about channels and topics: append-only, the newest of each wins, copied to columns of the customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.conf import settings
from django.db import connection, transaction

from crm.events import outbox
from customers.models import Consent
from customers.models.consent import Channel
from customers.timeline import types

Wishes = Mapping[tuple[str, str], bool]
"""(channel, topic) → wanted; an empty topic means the whole channel."""

LONGEST_EVIDENCE = 500

OPTED_IN, OPTED_OUT = Consent.Decision.OPTED_IN, Consent.Decision.OPTED_OUT
PENDING = Consent.Decision.PENDING


def opt_out(customer_id: int, channel: str, evidence: str, *, topic: str = "") -> None:
    """Opt a customer out of a topic, or without a topic out of the channel."""
    opt_out_many([customer_id], channel, evidence, topic=topic)


def opt_in(customer_id: int, channel: str, evidence: str, *, topic: str = "") -> None:
    """Opt a customer in to a topic, or without a topic in to the channel."""
    opt_in_many([customer_id], channel, evidence, topic=topic)


def opt_out_many(
    customer_ids: Sequence[int], channel: str, evidence: str, *, topic: str = ""
) -> None:
    """Opt many customers out; emits CUSTOMER_UNSUBSCRIBED for each changed one."""
    with transaction.atomic():
        locked = _lock(customer_ids)
        news = _without(locked, channel, OPTED_OUT, topic)
        _append(locked, channel, OPTED_OUT, evidence, topic)
        _emit(types.CUSTOMER_UNSUBSCRIBED, news, channel, topic)


def opt_in_many(
    customer_ids: Sequence[int], channel: str, evidence: str, *, topic: str = ""
) -> None:
    """Opt many customers in."""
    with transaction.atomic():
        _append(_lock(customer_ids), channel, OPTED_IN, evidence, topic)


def ask_many(customer_ids: Sequence[int], channel: str, evidence: str) -> None:
    """Ask customers who have not opted in to confirm (CONSENT_REQUESTED); until then they are pending and get nothing."""
    with transaction.atomic():
        locked = _lock(customer_ids)
        asked = _without(locked, channel, OPTED_IN, topic="")
        _append(asked, channel, PENDING, evidence, topic="")
        _emit(types.CONSENT_REQUESTED, asked, channel, topic="")


def undecided(
    customer_ids: Sequence[int], channel: str, decision: str, *, topic: str = ""
) -> list[int]:
    """Return customers whose newest decision about the topic, or the whole channel, is another one or missing."""
    return _without(customer_ids, channel, decision, topic)


def record_wishes(people: Iterable[tuple[int, Wishes]], evidence: str) -> set[int]:
    """Append the decisions that differ from the newest ones; returns ids of customers with such decisions.

    With DOUBLE_OPT_IN, customers who want e-mail are asked once to confirm.
    """
    by_decision: dict[tuple[str, str, bool], list[int]] = defaultdict(list)
    for pk, wishes in people:
        for (channel, topic), wanted in wishes.items():
            by_decision[channel, topic, wanted].append(pk)
    changed: set[int] = set()
    for (channel, topic, wanted), ids in by_decision.items():
        changed.update(_record(ids, channel, topic, evidence, wanted=wanted))
    return changed


def _record(
    ids: Sequence[int], channel: str, topic: str, evidence: str, *, wanted: bool
) -> Sequence[int]:
    changed = undecided(ids, channel, OPTED_IN if wanted else OPTED_OUT, topic=topic)
    if wanted and settings.DOUBLE_OPT_IN and channel == Channel.EMAIL and not topic:
        changed = undecided(changed, channel, PENDING)
        ask_many(changed, channel, evidence)
    elif changed:
        decide = opt_in_many if wanted else opt_out_many
        decide(changed, channel, evidence, topic=topic)
    return changed


def _append(
    customer_ids: Sequence[int], channel: str, decision: str, evidence: str, topic: str
) -> None:
    Consent.objects.bulk_create(
        [
            Consent(
                customer_id=customer_id,
                channel=channel,
                topic=topic,
                decision=decision,
                evidence=evidence[:LONGEST_EVIDENCE],
            )
            for customer_id in customer_ids
        ]
    )
    update_customers(customer_ids)


def _lock(customer_ids: Sequence[int]) -> list[int]:
    """Return the existing customers, locked in the order of ids so that two batches never deadlock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [list(customer_ids)],
        )
        return [row[0] for row in cursor.fetchall()]


def _without(customer_ids: Sequence[int], channel: str, decision: str, topic: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM unnest(%s::bigint[]) AS given(id)
            WHERE (
                SELECT decision FROM customers_consent
                WHERE customer_id = given.id AND channel = %s AND topic = %s
                ORDER BY decided_at DESC, customers_consent.id DESC LIMIT 1
            ) IS DISTINCT FROM %s
            """,
            [list(customer_ids), channel, topic, decision],
        )
        return [row[0] for row in cursor.fetchall()]


def update_customers(customer_ids: Sequence[int]) -> None:
    """Copy the newest decisions to columns of the customers. A pending one counts as opted out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_customer customer
            SET opted_out_channels = newest.channels, opted_out_topics = newest.topics
            FROM (
                SELECT customer_id,
                    coalesce(array_agg(channel ORDER BY channel) FILTER (WHERE topic = ''), '{}') AS channels,
                    coalesce(
                        array_agg((channel || ':' || topic)::varchar ORDER BY channel, topic) FILTER (WHERE topic > ''), '{}'
                    ) AS topics
                FROM (
                    SELECT given.id AS customer_id, decided.channel, decided.topic
                    FROM unnest(%s::bigint[]) AS given(id)
                    LEFT JOIN LATERAL (
                        SELECT DISTINCT ON (channel, topic) channel, topic, decision
                        FROM customers_consent WHERE customer_id = given.id
                        ORDER BY channel, topic, decided_at DESC, id DESC
                    ) decided ON decided.decision <> %s
                ) closed
                GROUP BY customer_id
            ) newest
            WHERE customer.id = newest.customer_id
              AND (customer.opted_out_channels, customer.opted_out_topics)
                  IS DISTINCT FROM (newest.channels, newest.topics)
            """,
            [list(customer_ids), OPTED_IN],
        )


def _emit(type: str, customer_ids: Sequence[int], channel: str, topic: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            {outbox.INSERT_SQL}
            SELECT %s, %s, id, jsonb_build_object('channel', %s::text, 'topic', %s::text)
            FROM customers_customer WHERE id = ANY(%s) ORDER BY id
            """,
            [type, channel, channel, topic, list(customer_ids)],
        )
