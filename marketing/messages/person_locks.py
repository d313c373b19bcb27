"""One message to a person at a time: where caps or send-once keys count, two campaigns do not judge about the same person at once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from marketing.messages.eligibility import Policy
from marketing.sending.claimed_message import Held


def take(policy: Policy, executions: Sequence[Held]) -> None:
    """Wait for those who judge about the same people now, and let others wait until the caller's transaction ends.

    The locks are taken in one order by everybody, so that nobody waits for somebody who waits for them.
    """
    if not policy.depends_on_other_messages:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_advisory_xact_lock(hashtextextended('message to', id))
            FROM (SELECT unnest(%s::bigint[]) AS id ORDER BY 1) AS person
            """,
            [[each.customer_id for each in executions]],
        )


def claim_key(policy: Policy, message_ids: Sequence[int]) -> None:
    """Note that these messages, which are about to leave, are the ones of their send-once key for their people."""
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
