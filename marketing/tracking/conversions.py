"""Orders that follow a click: conversions of the message that was clicked last within its campaign's goal window."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db import connection

from customers.events import MESSAGE_CONVERTED
from marketing.tracking.record import Happening, record


def count_orders(order_ids: Iterable[int]) -> int:
    """Credit each of these orders to the last message that its customer clicked; returns how many were.

    An order counts once, however often it comes by. Refunds (amounts below zero) and the clicks of simulated recipients do not count.
    """
    conversions = _find(list(order_ids))
    if conversions:
        record(conversions)
    return len(conversions)


def _find(order_ids: list[int]) -> list[Happening]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT click.execution_id, purchase.placed_at, purchase.external_id, purchase.amount
            FROM customers_order AS purchase
            CROSS JOIN LATERAL (
                SELECT clicked.execution_id
                FROM customers_interaction AS clicked
                JOIN marketing_campaign AS campaign ON campaign.id = clicked.campaign_id
                WHERE clicked.customer_id = purchase.customer_id
                  AND clicked.type = 'message_clicked'
                  AND NOT clicked.properties ? 'simulated'
                  AND clicked.occurred_at <= purchase.placed_at
                  AND clicked.occurred_at > purchase.placed_at - campaign.goal_window_days * interval '1 day'
                ORDER BY clicked.occurred_at DESC
                LIMIT 1
            ) AS click
            WHERE purchase.id = ANY(%s)
              AND purchase.amount > 0
              AND NOT EXISTS (
                SELECT FROM customers_interaction AS earlier
                WHERE earlier.customer_id = purchase.customer_id
                  AND earlier.type = 'message_converted'
                  AND earlier.properties ->> 'order' = purchase.external_id
              )
            ORDER BY purchase.placed_at
            """,
            [order_ids],
        )
        rows: list[tuple[int, datetime, str, Decimal]] = cursor.fetchall()
    return [
        Happening(execution_id, MESSAGE_CONVERTED, placed_at, order=order, revenue=amount)
        for execution_id, placed_at, order, amount in rows
    ]
