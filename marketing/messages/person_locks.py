"""Locks on customers: where caps or send-once keys count, two workers do not judge one customer at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from marketing.messages.eligibility import Policy


def lock(policy: Policy, customer_ids: Sequence[int]) -> None:
    """Lock customers until the caller's transaction ends, where the policy depends on their other messages.

    Every worker takes the locks in the same order, so that no two wait for each other.
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
