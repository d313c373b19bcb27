"""Delete old events that every subscriber has read."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from crm.chunked_delete import CHUNK, delete_in_chunks
from crm.events import catalog, feeds, outbox
from crm.events.models import WebhookDelivery

ANY_PUBLIC = "*"


def forget_before(then: datetime) -> int:
    """Delete events from before that time that no subscriber has still to read or to replay; return how many."""
    deleted = 0
    while count := _forget_chunk(then):
        deleted += count
    return deleted


def forget_deliveries_before(then: datetime) -> int:
    """Delete deliveries of webhooks from before that time, but those still to be tried; returns how many."""
    settled = WebhookDelivery.objects.exclude(state=WebhookDelivery.State.PENDING)
    return delete_in_chunks(settled.filter(created_at__lt=then))


def _forget_chunk(then: datetime) -> int:
    outbox_readers = feeds.subscribers(outbox.SOURCE)
    readers = [(each.name, kind) for each in outbox_readers for kind in each.types or (ANY_PUBLIC,)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM events_marketingevent WHERE position = ANY(ARRAY(
                SELECT position FROM events_marketingevent event
                WHERE time < %s AND NOT EXISTS (
                    SELECT FROM unnest(%s::varchar[], %s::varchar[]) AS reader(name, type)
                    LEFT JOIN events_feedcursor at USING (name)
                    WHERE (reader.type = event.type OR reader.type = %s AND event.type <> ALL(%s))
                      AND (at.name IS NULL OR (event.transaction, event.position) > (at.transaction, at.position))
                ) AND NOT EXISTS (
                    SELECT FROM events_deadletter letter
                    WHERE letter.position = event.position AND letter.subscriber = ANY(%s)
                )
                ORDER BY position LIMIT %s
            ))
            """,
            [
                then,
                [name for name, _kind in readers],
                [kind for _name, kind in readers],
                ANY_PUBLIC,
                catalog.internal(),
                [each.name for each in outbox_readers],
                CHUNK,
            ],
        )
        return cursor.rowcount
