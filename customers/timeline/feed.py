"""The feed of the timeline: subscribers handle its new rows in the order in which they were committed.

@timeline.follows(types.PAGE_VIEWED, name="count page views")
def count(rows: Sequence[timeline.Row]) -> None: …
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from crm.events.feeds import Batch, Source, Subscriber, subscribe

LIMIT = 2_000


class Row(NamedTuple):
    id: int
    customer_id: int
    type: str
    occurred_at: datetime
    properties: Any


Handler = Callable[[Sequence[Row]], None]


def _fetch(condition: str, parameters: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id, customer_id, type, occurred_at, properties FROM customers_interaction
            WHERE {condition} ORDER BY transaction, id
            """,
            parameters,
        )
        return [
            Row(key, customer, kind, at, json.loads(properties))
            for key, customer, kind, at, properties in cursor.fetchall()
        ]


SOURCE = Source("timeline", "customers_interaction", "id", _fetch)


def follows(
    *types: str, name: str, limit: int = LIMIT, every: timedelta = timedelta()
) -> Callable[[Handler], Handler]:
    """Decorate a function to handle batches of new rows of these types, or of all, in order.

    `name` identifies its cursor; between two turns it pauses for `every`.
    """

    def register(handle: Handler) -> Handler:
        subscribe(
            Subscriber(
                name,
                SOURCE,
                lambda batch: handle(batch.rows()),
                frozenset(types),
                limit=limit,
                every=every,
            )
        )
        return handle

    return register


def follows_ranges(
    *types: str, name: str, limit: int
) -> Callable[[Callable[[Batch], None]], Callable[[Batch], None]]:
    """Decorate a function that reads a batch in an SQL statement of its own: SOURCE.range_sql with the parameters Batch.range."""

    def register(handle: Callable[[Batch], None]) -> Callable[[Batch], None]:
        subscribe(Subscriber(name, SOURCE, handle, frozenset(types), limit=limit))
        return handle

    return register
