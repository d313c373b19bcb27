"""Conversions: orders and goal events, attributed to the message last clicked within its campaign's goal window.

Clicks of bots (marketing.tracking.bots) and of simulated recipients lead to none. Revenue is net of refunds, in the site's currency:
where that of an attributed order changes, the difference is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

from customers import order_money
from customers.timeline import Row
from customers.timeline.types import MESSAGE_CONVERTED, MESSAGE_REVALUED
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
          AND earlier.properties ->> '{named}' = reached.name {also}
    )
    ORDER BY reached.at
"""


_OF_STORE = "AND coalesce({0}.properties ->> 'store', '') = {1}.store"

_ORDERS = f"""
    SELECT click.execution_id, reached.at, reached.name, reached.store, reached.net
    FROM (
        SELECT customer_id, placed_at, external_id, store, net FROM customers_order
        WHERE id = ANY(%s) AND kind = 'order' AND amount > refunded
    ) AS reached (customer_id, at, name, store, net)
    {
    _LAST_CLICK.format(
        goal="campaign.goal_kind = 'order'",
        named="order",
        also=_OF_STORE.format("earlier", "reached"),
    )
}
"""
_CHANGED = f"""
    SELECT credited.execution_id, ordered.placed_at, ordered.external_id, ordered.store,
           coalesce(ordered.net, 0) - coalesce(sum((credited.properties ->> 'revenue')::numeric), 0)
    FROM customers_order ordered JOIN customers_interaction credited
        ON credited.customer_id = ordered.customer_id
       AND credited.type IN ('{MESSAGE_CONVERTED}', '{MESSAGE_REVALUED}')
       AND credited.properties ->> 'order' = ordered.external_id {_OF_STORE.format("credited", "ordered")}
    WHERE ordered.id = ANY(%s) AND ordered.kind = 'order' AND credited.execution_id IS NOT NULL
    GROUP BY ordered.id, credited.execution_id
    HAVING coalesce(ordered.net, 0) <> coalesce(sum((credited.properties ->> 'revenue')::numeric), 0)
    ORDER BY ordered.id
"""


def count_orders(order_ids: Iterable[int]) -> int:
    """Attribute each order to the last message that its customer clicked; returns how many were attributed.

    An order counts once, however often it is recorded, and not at all if it was taken back before.
    """
    orders = list(order_ids)
    found = _rows(_ORDERS, [orders])
    record(
        MessageEvent(execution, MESSAGE_CONVERTED, at, order=order, store=store, revenue=net)
        for execution, at, order, store, net in found
    )
    record(
        MessageEvent(execution, MESSAGE_REVALUED, at, order=order, store=store, revenue=difference)
        for execution, at, order, store, difference in _rows(_CHANGED, [orders])
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
    currency = "coalesce(nullif(upper(reached.properties ->> 'currency'), ''), %(site_currency)s)"
    found = _rows(
        f"""
        SELECT click.execution_id, reached.at, reached.name,
               CASE WHEN reached.properties ->> 'unconfirmed' = 'true' THEN NULL
               ELSE reached.properties ->> nullif(click.goal_value, '') END,
               {order_money.rate_sql(currency, "reached.at")}
        FROM (
            SELECT customer_id, occurred_at, id::text, type, properties FROM customers_interaction WHERE id = ANY(%(ids)s)
        ) AS reached (customer_id, at, name, type, properties)
        {
            _LAST_CLICK.format(
                goal="campaign.goal_kind = 'event' AND campaign.goal_event = reached.type",
                named="event",
                also="",
            )
        }
        """,
        {**order_money.parameters(), "ids": interaction_ids},
    )
    record(
        MessageEvent(execution, MESSAGE_CONVERTED, at, event=name, revenue=_amount(value, rate))
        for execution, at, name, value, rate in found
    )
    return len(found)


def _rows(sql: str, parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def _amount(value: str | None, rate: Decimal | None) -> Decimal | None:
    """Parse a property as money and convert it; None for anything else, and without an exchange rate."""
    try:
        amount = (Decimal(value or "") * (rate or Decimal("nan"))).quantize(Decimal("0.01"))
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and 0 <= amount < Decimal(10) ** 12 else None
