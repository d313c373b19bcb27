"""Profiles keep up with what people do, by the timeline; what is only sent to them waits for the night."""

from __future__ import annotations

from django.db import connection, transaction

from analytics.people import profiles
from crm.events import cursors
from crm.events.transactions import HORIZON
from customers import events

CURSOR = "analytics.people.follow"
ROWS = 5_000
WAITING = (events.MESSAGE_SENT, events.MESSAGE_DELIVERED)

_SQL = f"""
    SELECT transaction::text::bigint, id, type, customer_id FROM customers_interaction
    WHERE (transaction, id) > (%s::text::xid8, %s) AND transaction < {HORIZON}
    ORDER BY transaction, id LIMIT %s
"""


def timeline() -> int:
    """Take in what was added to the timeline since the last time; returns how many rows. Another process's turn is respected."""
    taken = 0
    while count := _next():
        taken += count
    return taken


def _next() -> int:
    with transaction.atomic(), connection.cursor() as database:
        cursor = cursors.take(CURSOR)
        if cursor is None:
            return 0
        database.execute(_SQL, [str(cursor.transaction), cursor.position, ROWS])
        rows = database.fetchall()
        if not rows:
            return 0
        profiles.refresh(
            sorted({customer for *_place, kind, customer in rows if kind not in WAITING})
        )
        cursor.transaction, cursor.position = rows[-1][:2]
        cursor.save()
        return len(rows)
