"""What the outside is told of customers: an event each, made of the batches in the outbox and of the timeline.

Writers that take in thousands of rows a second write one event a batch, or a row of the timeline that has to be there anyway. Here
those become the events of the catalogue, set-based and exactly once: the rows are written in the transaction that moves the cursor.
Where neither the stream nor a webhook wants them they are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import connection, transaction

from crm.events import cursors, outbox
from crm.events.models import MarketingEvent
from crm.events.transactions import HORIZON
from crm.events.webhooks import queue
from customers import events

CURSOR = "customers.announce.timeline"
ROWS = 5_000
OF_THE_TIMELINE = {
    events.ORDER_PLACED: events.ORDER_PLACED_EVENT,
    events.MESSAGE_SENT: "message.sent",
    events.MESSAGE_DELIVERED: "message.delivered",
    events.MESSAGE_BOUNCED: "message.bounced",
    events.MESSAGE_OPENED: "message.opened",
    events.MESSAGE_CLICKED: "message.clicked",
    events.MESSAGE_CONVERTED: "message.converted",
    events.MESSAGE_COMPLAINED: "message.complained",
}

_CUSTOMERS = f"""
    {outbox.INSERT_SQL}
    SELECT type, '', id, jsonb_strip_nulls(jsonb_build_object('external_id', customer.external_id))
    FROM unnest(%s::bigint[], %s::text[]) WITH ORDINALITY AS told(id, type, place)
    LEFT JOIN customers_customer customer USING (id)
    ORDER BY place
"""
_TIMELINE = f"""
    WITH new AS MATERIALIZED (
        SELECT * FROM customers_interaction
        WHERE (transaction, id) > (%(transaction)s::text::xid8, %(position)s) AND transaction < {HORIZON}
        ORDER BY transaction, id LIMIT %(limit)s
    ), told AS (
        {outbox.INSERT_AT_SQL}
        SELECT public.type, '', customer_id, properties || jsonb_strip_nulls(
            jsonb_build_object('campaign', campaign_id, 'message', execution_id)
        ), occurred_at
        FROM new JOIN unnest(%(types)s::text[], %(told_as)s::text[]) AS public(of, type) ON public.of = new.type
        WHERE %(wanted)s ORDER BY transaction, id
    )
    SELECT transaction, id, count(*) OVER () FROM new ORDER BY transaction DESC, id DESC LIMIT 1
"""


def customers(happened: Sequence[MarketingEvent]) -> None:
    """`customer.created` and `customer.updated` for everybody in batches of CUSTOMERS_CHANGED."""
    if not _is_wanted(events.CUSTOMER_CREATED, events.CUSTOMER_UPDATED):
        return
    people, types = [], []
    for event in happened:
        for kind, told_as in (
            ("created", events.CUSTOMER_CREATED),
            ("updated", events.CUSTOMER_UPDATED),
        ):
            people += event.data[kind]
            types += [told_as] * len(event.data[kind])
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS, [people, types])


def timeline() -> int:
    """Tell of what was added to the timeline since the last time; returns how many rows were read."""
    read = 0
    while count := _next_of_the_timeline():
        read += count
    return read


def _next_of_the_timeline() -> int:
    with transaction.atomic():
        at = cursors.take(CURSOR)
        if at is None:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(
                _TIMELINE,
                {
                    "transaction": str(at.transaction),
                    "position": at.position,
                    "limit": ROWS,
                    "types": list(OF_THE_TIMELINE),
                    "told_as": list(OF_THE_TIMELINE.values()),
                    "wanted": _is_wanted(*OF_THE_TIMELINE.values()),
                },
            )
            last = cursor.fetchone()
        if last is None:
            return 0
        at.transaction, at.position = int(last[0]), last[1]
        at.save()
        return int(last[2])


def _is_wanted(*types: str) -> bool:
    return bool(settings.EVENT_STREAM) or queue.anybody_wants(types)
