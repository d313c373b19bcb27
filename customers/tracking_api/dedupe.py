"""Message ids: each call is received once, however often it is sent."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.db import connection

from customers.tracking_api.calls import Call


def unseen(messages: Sequence[Call], write_key_id: int) -> list[Call]:
    """Return calls that were not received before, nor earlier among these, and mark them as received.

    A call without an id is always new. A concurrent batch of the same calls waits for this transaction.
    """
    by_id: dict[str, Call] = {}
    for message in messages:
        by_id.setdefault(message.message_id, message)
    by_id.pop("", None)
    if not by_id:
        return list(messages)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_receivedmessage (write_key_id, message_id)
            SELECT %s, id FROM jsonb_array_elements_text(%s::jsonb) AS given(id) ORDER BY id
            ON CONFLICT DO NOTHING
            RETURNING message_id
            """,
            [write_key_id, json.dumps(list(by_id))],
        )
        new = {row[0] for row in cursor.fetchall()}
    return [
        message
        for message in messages
        if not message.message_id
        or (message.message_id in new and by_id[message.message_id] is message)
    ]
