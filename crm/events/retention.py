"""Forgetting events that are old and that everybody has read."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from crm.events import catalog
from crm.events.consume import PUBLIC, subscriptions
from crm.events.models import WebhookDelivery


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
                WHERE (reader.type = event.type OR reader.type = %s AND event.type <> ALL(%s))
                  AND (at.name IS NULL OR (event.transaction, event.position) > (at.transaction, at.position))
            ) AND NOT EXISTS (
                SELECT FROM events_deadletter letter WHERE letter.position = event.position
            )
            """,
            [
                then,
                [name for name, _kind in readers],
                [kind for _name, kind in readers],
                PUBLIC,
                catalog.internal(),
            ],
        )
        return cursor.rowcount


def forget_deliveries_before(then: datetime) -> int:
    """Delete the deliveries of webhooks from before that time that are not still to be tried; returns how many."""
    settled = WebhookDelivery.objects.exclude(state=WebhookDelivery.State.PENDING)
    return settled.filter(created_at__lt=then).delete()[0]
