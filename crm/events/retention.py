"""Forgetting events that are old and that everybody has read."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from crm.events.consume import subscriptions


def forget_before(then: datetime) -> int:
    """Delete events from before that time which no consumer still has to read; returns how many."""
    readers = subscriptions()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM events_marketingevent event
            WHERE time < %s AND NOT EXISTS (
                SELECT FROM unnest(%s::varchar[], %s::varchar[]) AS reader(name, type)
                LEFT JOIN events_consumercursor at USING (name)
                WHERE reader.type = event.type
                  AND (at.name IS NULL OR (event.transaction, event.position) > (at.transaction, at.position))
            )
            """,
            [then, [name for name, _kind in readers], [kind for _name, kind in readers]],
        )
        return cursor.rowcount
