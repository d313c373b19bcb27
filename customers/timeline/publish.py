"""Publish to subscribers outside: one public event for each customer of a batch, and for each public row of the timeline.

Writers of thousands of rows a second write one event for a batch of customers, and rows of the timeline. Here both become public
events, set-based and exactly once. They are left out where neither the stream nor a webhook wants them.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import connection

from crm.events import outbox, webhooks
from crm.events.feeds import Batch
from crm.events.models import MarketingEvent
from customers.timeline import feed, types

_CUSTOMERS = f"""
    {outbox.INSERT_SQL}
    SELECT type, '', id, jsonb_strip_nulls(jsonb_build_object('external_id', customer.external_id))
    FROM unnest(%s::bigint[], %s::text[]) WITH ORDINALITY AS changed(id, type, place)
    LEFT JOIN customers_customer customer USING (id)
    ORDER BY place
"""
_ROWS = f"""
    {outbox.INSERT_AT_SQL}
    SELECT public.name, '', customer_id, properties || jsonb_strip_nulls(
        jsonb_build_object('campaign', campaign_id, 'message', execution_id)
    ), occurred_at
    FROM customers_interaction
    JOIN unnest(%(types)s::text[], %(names)s::text[]) AS public(type, name) USING (type)
    WHERE {feed.SOURCE.range_sql} ORDER BY transaction, id
"""


def publish_customers(events: Sequence[MarketingEvent]) -> None:
    """Emit `customer.created` and `customer.updated` for each customer of the batches."""
    if not _is_wanted(types.CUSTOMER_CREATED, types.CUSTOMER_UPDATED):
        return
    people, names = [], []
    for event in events:
        for kind, name in (
            ("created", types.CUSTOMER_CREATED),
            ("updated", types.CUSTOMER_UPDATED),
        ):
            people += event.data[kind]
            names += [name] * len(event.data[kind])
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS, [people, names])


def publish_rows(batch: Batch) -> None:
    """Emit the public event of each public row in the batch."""
    names = list(map(types.public_name, types.PUBLIC))
    if _is_wanted(*names):
        with connection.cursor() as cursor:
            cursor.execute(_ROWS, {**batch.range, "types": list(types.PUBLIC), "names": names})


def _is_wanted(*names: str) -> bool:
    return bool(settings.EVENT_STREAM or settings.EVENT_CHANNEL) or webhooks.any_subscribes(names)
