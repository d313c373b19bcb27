"""Read paths: the messages on the timeline that reached customers before an order, or without one. Orders count net of refunds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection

from analytics.attribution.paths import Path
from customers.timeline import types


class Touch(StrEnum):
    """The event that makes a message a touchpoint."""

    SENT = "sent"
    OPEN = "open"
    CLICK = "click"


class Dimension(StrEnum):
    """The kind of touchpoint that is credited."""

    CAMPAIGN = "campaign"
    CHANNEL = "channel"


TYPES: dict[Touch, list[str]] = {
    Touch.SENT: [types.MESSAGE_SENT],
    Touch.OPEN: [types.MESSAGE_OPENED, types.MESSAGE_CLICKED],
    Touch.CLICK: [types.MESSAGE_CLICKED],
}
_NAMES: dict[Dimension, str] = {
    Dimension.CAMPAIGN: "campaign_id::text",
    Dimension.CHANNEL: "coalesce(properties ->> 'channel', '')",
}

# a step belongs to the path of the next order; after the last order, to a path that ends with its last step
_PATHS = """
    WITH steps AS (
        SELECT customer_id, occurred_at, false AS is_order, 0 AS amount, {name} AS name
        FROM customers_interaction
        WHERE occurred_at >= %(since)s::timestamptz - %(window)s AND occurred_at < %(until)s
          AND type = ANY(%(touches)s) AND campaign_id IS NOT NULL
          AND coalesce(properties ->> 'machine', 'false') <> 'true'
          AND (coalesce(properties ->> 'simulated', 'false') = 'true') = %(simulated)s
        UNION ALL
        SELECT customer_id, placed_at, true, coalesce(net, 0), NULL FROM customers_order
        WHERE kind = 'order' AND placed_at >= %(since)s::timestamptz - %(window)s AND placed_at < %(until)s
    ), numbered AS (
        SELECT *, count(*) FILTER (WHERE is_order) OVER (
            PARTITION BY customer_id ORDER BY occurred_at DESC, is_order DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS orders_after
        FROM steps
    ), ended AS (
        SELECT *, max(occurred_at) OVER path AS end_at, max(amount) OVER path AS value,
               bool_or(is_order) OVER path AS is_won
        FROM numbered WINDOW path AS (PARTITION BY customer_id, orders_after)
    ), paths AS (
        SELECT is_won, max(value) AS value,
               array_agg(name ORDER BY occurred_at) FILTER (WHERE NOT is_order AND occurred_at >= end_at - %(window)s) AS names,
               array_agg(floor(EXTRACT(EPOCH FROM end_at - occurred_at) / 86400)::int ORDER BY occurred_at)
                   FILTER (WHERE NOT is_order AND occurred_at >= end_at - %(window)s) AS ages
        FROM ended WHERE end_at >= %(since)s
        GROUP BY customer_id, orders_after, is_won
    )
    SELECT names, ages, count(*) FILTER (WHERE is_won), coalesce(sum(value) FILTER (WHERE is_won), 0),
           count(*) FILTER (WHERE NOT is_won)
    FROM paths GROUP BY names, ages
"""


@dataclass(frozen=True, slots=True)
class PathQuery:
    """Orders from `since` up to `until`, and the touches within the `window` before each, of real or of simulated campaigns."""

    since: datetime
    until: datetime
    window: timedelta
    by: Dimension = Dimension.CAMPAIGN
    touch: Touch = Touch.OPEN
    simulated: bool = False


def paths(query: PathQuery) -> Iterator[Path]:
    """Yield the distinct paths; an order without any touch has a path without steps. Ages are whole days."""
    parameters: dict[str, Any] = {
        "since": query.since,
        "until": query.until,
        "window": query.window,
        "touches": TYPES[query.touch],
        "simulated": query.simulated,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PATHS.format(name=_NAMES[query.by]), parameters)
        for names, ages, conversions, value, nulls in cursor.fetchall():
            yield Path(names or (), conversions, float(value), nulls, ages)
