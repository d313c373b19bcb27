"""Goals reached after a click: conversions of the message that was clicked last within its campaign's goal window.

What a program clicked (marketing.tracking.bots) and what simulated recipients did leads to none.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from crm.events import cursors
from crm.events.models import ConsumerCursor
from crm.events.transactions import HORIZON
from customers.events import MESSAGE_CONVERTED
from marketing.models import Campaign
from marketing.tracking.engagement import Happening, record

CURSOR = "marketing.conversions.events"
ROWS = 5_000

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
    """Credit each of these orders to the last message that its customer clicked; returns how many were.

    An order counts once, however often it comes by. Refunds (amounts below zero) do not count.
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
        Happening(execution, MESSAGE_CONVERTED, at, order=order, revenue=amount)
        for execution, at, order, amount in found
    )
    return len(found)


def count_events() -> int:
    """Credit the events of the timeline that are some campaign's goal, those added since the last time; returns how many were."""
    counted = 0
    while (credited := _count_next()) is not None:
        counted += credited
    return counted


@transaction.atomic
def _count_next() -> int | None:
    """None when there is nothing more to read, or another process reads."""
    cursor = cursors.take(CURSOR)
    if cursor is None or not (read := _unread(cursor)):
        return None
    goals = set(
        Campaign.objects.filter(goal_kind=Campaign.GoalKind.EVENT).values_list(
            "goal_event", flat=True
        )
    )
    wanted = [pk for _transaction, pk, kind in read if kind in goals]
    cursor.transaction, cursor.position = read[-1][:2]
    cursor.save()
    return _credit(wanted) if wanted else 0


def _credit(interaction_ids: list[int]) -> int:
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
        Happening(execution, MESSAGE_CONVERTED, at, event=name, revenue=_amount(value))
        for execution, at, name, value in found
    )
    return len(found)


def _unread(cursor: ConsumerCursor) -> list[tuple[int, int, str]]:
    return _rows(
        f"""
        SELECT transaction::text::bigint, id, type FROM customers_interaction
        WHERE (transaction, id) > (%s::text::xid8, %s) AND transaction < {HORIZON}
        ORDER BY transaction, id LIMIT %s
        """,
        [str(cursor.transaction), cursor.position, ROWS],
    )


def _rows(sql: str, parameters: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def _amount(value: str | None) -> Decimal | None:
    """What a property holds as money; None for what is no number, or none that could be."""
    try:
        amount = Decimal(value or "").quantize(Decimal("0.01"))
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and 0 <= amount < Decimal(10) ** 12 else None
