"""Messages of people without a name: they wait, and are taken in when the person says who they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from django.db import connection

from customers.tracking_api.calls import Call

_KEY = "hashtext('customers.tracking_api.anonymous_calls')"


def hold_off_joins() -> None:
    """Until this transaction ends nobody's anonymous id finds its person, so that what is put by is not missed."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_KEY})")


def hold_off_all() -> None:
    """Until this transaction ends nothing is put by: what waits can be joined to its person."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_KEY})")


def put_by(messages: Sequence[Call]) -> None:
    """Let messages wait for their person."""
    if not messages:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_waitingmessage (anonymous_id, message)
            SELECT * FROM unnest(%s::text[], %s::jsonb[])
            """,
            [
                [message.anonymous_id for message in messages],
                [json.dumps(message.as_json()) for message in messages],
            ],
        )


def take(anonymous_ids: Iterable[str]) -> list[Call]:
    """What these people did before they were known, in its order; it waits no more."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH taken AS (
                DELETE FROM customers_waitingmessage WHERE anonymous_id = ANY(%s) RETURNING id, anonymous_id, message
            )
            SELECT anonymous_id, message FROM taken ORDER BY id
            """,
            [list(anonymous_ids)],
        )
        rows = cursor.fetchall()
    return [Call.from_json(json.loads(message), anonymous_id) for anonymous_id, message in rows]
