"""Journeys from the timeline: which messages people were touched by before they ordered, or without ordering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection

from analytics.attribution.paths import Journey
from customers import events


class Touch(StrEnum):
    """What counts as being touched by a message."""

    SENT = "sent"
    OPEN = "open"
    CLICK = "click"


class By(StrEnum):
    """What credit goes to."""

    CAMPAIGN = "campaign"
    CHANNEL = "channel"


TYPES: dict[Touch, list[str]] = {
    Touch.SENT: [events.MESSAGE_SENT],
    Touch.OPEN: [events.MESSAGE_OPENED, events.MESSAGE_CLICKED],
    Touch.CLICK: [events.MESSAGE_CLICKED],
}
_NAMES: dict[By, str] = {
    By.CAMPAIGN: "campaign_id::text",
    By.CHANNEL: "coalesce(properties ->> 'channel', '')",
}

# every step stands in the journey of the order that comes next; a step of the future of all orders, in one that ends with itself
_JOURNEYS = f"""
    WITH steps AS (
        SELECT customer_id, occurred_at, type = '{events.ORDER_PLACED}' AS is_order,
               CASE WHEN type = '{events.ORDER_PLACED}' THEN (properties ->> 'amount')::numeric END AS amount,
               {{name}} AS name
        FROM customers_interaction
        WHERE occurred_at >= %(since)s::timestamptz - %(window)s AND occurred_at < %(until)s
          AND ((type = '{events.ORDER_PLACED}' AND (properties ->> 'amount')::numeric >= 0)
               OR (type = ANY(%(touches)s) AND campaign_id IS NOT NULL
                   AND coalesce(properties ->> 'machine', 'false') <> 'true'
                   AND (coalesce(properties ->> 'simulated', 'false') = 'true') = %(simulated)s))
    ), numbered AS (
        SELECT *, count(*) FILTER (WHERE is_order) OVER (
            PARTITION BY customer_id ORDER BY occurred_at DESC, is_order DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS orders_after
        FROM steps
    ), ended AS (
        SELECT *, max(occurred_at) OVER journey AS end_at, max(amount) OVER journey AS value,
               bool_or(is_order) OVER journey AS is_won
        FROM numbered WINDOW journey AS (PARTITION BY customer_id, orders_after)
    ), journeys AS (
        SELECT is_won, max(value) AS value,
               array_agg(name ORDER BY occurred_at) FILTER (WHERE NOT is_order AND occurred_at >= end_at - %(window)s) AS names,
               array_agg(floor(EXTRACT(EPOCH FROM end_at - occurred_at) / 86400)::int ORDER BY occurred_at)
                   FILTER (WHERE NOT is_order AND occurred_at >= end_at - %(window)s) AS ages
        FROM ended WHERE end_at >= %(since)s
        GROUP BY customer_id, orders_after, is_won
    )
    SELECT names, ages, count(*) FILTER (WHERE is_won), coalesce(sum(value) FILTER (WHERE is_won), 0),
           count(*) FILTER (WHERE NOT is_won)
    FROM journeys GROUP BY names, ages
"""


@dataclass(frozen=True, slots=True)
class Question:
    """Orders from `since` up to `until`, and the touches of the `window` before each; in real campaigns or in simulated ones."""

    since: datetime
    until: datetime
    window: timedelta
    by: By = By.CAMPAIGN
    touch: Touch = Touch.OPEN
    simulated: bool = False


def journeys(question: Question) -> Iterator[Journey]:
    """The journeys, alike ones together; those of orders without any touch have no steps. Ages are whole days."""
    parameters: dict[str, Any] = {
        "since": question.since,
        "until": question.until,
        "window": question.window,
        "touches": TYPES[question.touch],
        "simulated": question.simulated,
    }
    with connection.cursor() as cursor:
        cursor.execute(_JOURNEYS.format(name=_NAMES[question.by]), parameters)
        for names, ages, conversions, value, nulls in cursor.fetchall():
            yield Journey(names or (), conversions, float(value), nulls, ages)
