"""Conversions: orders and goal events, attributed to the message last clicked within its campaign's goal window.

Clicks of bots (marketing.tracking.bots) and of simulated recipients lead to none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

from customers.timeline import Row
from customers.timeline.types import MESSAGE_CONVERTED
from marketing.models import Campaign
from marketing.tracking.engagement import MessageEvent, record

_LAST_CLICK = """
    CROSS JOIN LATERAL (
        SELECT clicked.execution_id, campaign.goal_value
        FROM customers_interaction AS clicked
        JOIN marketing_campaign AS campaign ON campaign.id = clicked.campaign_id
        WHERE clicked.customer_id = reached.customer_id
          AND clicked.type = 'message_clicked'
          AND NOT clicked.properties ? 'simulated'
          AND {goal}
          AND clicked.occurred_at <= reached.at
          AND clicked.occurred_at > reached.at - campaign.goal_window_days * interval '1 day'
        ORDER BY clicked.occurred_at DESC
        LIMIT 1
    ) AS click
    WHERE NOT EXISTS (
        SELECT FROM customers_interaction AS earlier
        WHERE earlier.customer_id = reached.customer_id
          AND earlier.type = 'message_converted'
          AND earlier.properties ->> '{named}' = reached.name
    )
    ORDER BY reached.at
"""


def count_orders(order_ids: Iterable[int]) -> int:
    """Attribute each order to the last message that its customer clicked; returns how many were attributed.

    An order counts once, however often it is recorded. Refunds (amounts below zero) do not count.
    """
    found = _rows(
        f"""
        SELECT click.execution_id, reached.at, reached.name, reached.amount
        FROM (
            SELECT customer_id, placed_at, external_id, amount FROM customers_order
            WHERE id = ANY(%s) AND amount > 0
        ) AS reached (customer_id, at, name, amount)
        {_LAST_CLICK.format(goal="campaign.goal_kind = 'order'", named="order")}
        """,
        [list(order_ids)],
    )
    record(
        MessageEvent(execution, MESSAGE_CONVERTED, at, order=order, revenue=amount)
        for execution, at, order, amount in found
    )
    return len(found)


def count_events(rows: Sequence[Row]) -> int:
    """Attribute the events that are a campaign's goal; returns how many were attributed."""
    goals = set(
        Campaign.objects.filter(goal_kind=Campaign.GoalKind.EVENT).values_list(
            "goal_event", flat=True
        )
    )
    reached = [row.id for row in rows if row.type in goals]
    return _attribute(reached) if reached else 0


def _attribute(interaction_ids: list[int]) -> int:
    found = _rows(
        f"""
        SELECT click.execution_id, reached.at, reached.name, reached.properties ->> nullif(click.goal_value, '')
        FROM (
            SELECT customer_id, occurred_at, id::text, type, properties FROM customers_interaction WHERE id = ANY(%s)
        ) AS reached (customer_id, at, name, type, properties)
        {
            _LAST_CLICK.format(
                goal="campaign.goal_kind = 'event' AND campaign.goal_event = reached.type",
                named="event",
            )
        }
        """,
        [interaction_ids],
    )
    record(
        MessageEvent(execution, MESSAGE_CONVERTED, at, event=name, revenue=_amount(value))
        for execution, at, name, value in found
    )
    return len(found)


def _rows(sql: str, parameters: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def _amount(value: str | None) -> Decimal | None:
    """Parse a property as money; None for anything else."""
    try:
        amount = Decimal(value or "").quantize(Decimal("0.01"))
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and 0 <= amount < Decimal(10) ** 12 else None
