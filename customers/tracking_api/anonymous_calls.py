"""Store calls of anonymous people until an identify call says whose they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from django.db import connection

from customers.tracking_api.calls import Call

_KEY = "hashtext('customers.tracking_api.anonymous_calls')"


def hold_off_joins() -> None:
    """Keep other transactions from joining anonymous ids until this one ends, so that they miss no stored call."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_KEY})")


def hold_off_all() -> None:
    """Keep other transactions from storing calls until this one ends, so that stored ones can be joined."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_KEY})")


def put_by(messages: Sequence[Call]) -> None:
    """Store calls under their anonymous ids."""
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
    """Delete and return the stored calls of these anonymous ids, in their order."""
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
