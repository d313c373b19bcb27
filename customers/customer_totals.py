"""Totals of each customer: opening figures plus orders, visits and tickets recorded here. A lead with an order becomes active."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction

BATCH = 20_000

_LOCK = "SELECT FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"

_KEEP = """
    WITH ordered AS (
        SELECT customer_id, sum(net) AS amount, count(*) FILTER (WHERE kind = 'order') AS orders,
               min(placed_at) FILTER (WHERE kind = 'order') AS first_at, max(placed_at) FILTER (WHERE kind = 'order') AS last_at
        FROM customers_order WHERE customer_id = ANY(%(ids)s) GROUP BY customer_id
    ), visited AS (
        SELECT customer_id, count(*) AS visits, max(occurred_at) AS last_at
        FROM customers_visit WHERE customer_id = ANY(%(ids)s) GROUP BY customer_id
    ), served AS (
        SELECT customer_id, max(occurred_at) AS last_at
        FROM customers_serviceinteraction WHERE customer_id = ANY(%(ids)s) GROUP BY customer_id
    ), total AS (
        SELECT customer.id,
               customer.opening_spend + coalesce(ordered.amount, 0) AS spend,
               customer.opening_orders + coalesce(ordered.orders, 0) AS orders,
               -- what was spent before on orders that nobody counted says nothing of an average order
               CASE customer.opening_orders WHEN 0 THEN 0 ELSE customer.opening_spend END + coalesce(ordered.amount, 0) AS counted_spend,
               ordered.first_at, ordered.last_at,
               customer.opening_visits + coalesce(visited.visits, 0) AS visits,
               greatest(customer.last_visit_at, visited.last_at) AS visited_at,
               greatest(customer.last_interaction_at, ordered.last_at, customer.last_visit_at, visited.last_at,
                        served.last_at) AS active_at,
               CASE WHEN customer.lifecycle_status = 'lead' AND customer.opening_orders + coalesce(ordered.orders, 0) > 0 THEN 'active'
                    ELSE customer.lifecycle_status END AS lifecycle
        FROM customers_customer customer
        LEFT JOIN ordered ON ordered.customer_id = customer.id
        LEFT JOIN visited ON visited.customer_id = customer.id
        LEFT JOIN served ON served.customer_id = customer.id
        WHERE customer.id = ANY(%(ids)s)
    )
    UPDATE customers_customer customer SET
        total_spend = total.spend,
        order_count = total.orders,
        average_order_value = round(total.counted_spend / nullif(total.orders, 0), 2),
        visit_count = total.visits,
        first_order_at = total.first_at,
        last_order_at = total.last_at,
        last_visit_at = total.visited_at,
        last_interaction_at = total.active_at,
        lifecycle_status = total.lifecycle
    FROM total
    WHERE customer.id = total.id AND
        (customer.total_spend, customer.order_count, customer.average_order_value, customer.visit_count,
         customer.first_order_at, customer.last_order_at, customer.last_visit_at, customer.last_interaction_at,
         customer.lifecycle_status)
        IS DISTINCT FROM
        (total.spend, total.orders, round(total.counted_spend / nullif(total.orders, 0), 2), total.visits,
         total.first_at, total.last_at, total.visited_at, total.active_at,
         total.lifecycle)
"""


def recompute(customer_ids: Sequence[int]) -> int:
    """Update the totals of these customers; returns how many changed."""
    if not customer_ids:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        # a statement of its own, so that the next one sees rows committed while this one waited
        cursor.execute(_LOCK, [list(customer_ids)])
        cursor.execute(_KEEP, {"ids": list(customer_ids)})
        return cursor.rowcount


def rebuild() -> int:
    """Update the totals of all customers, in batches; returns how many changed."""
    corrected, after = 0, 0
    while batch := _next_batch(after):
        corrected += recompute(batch)
        after = batch[-1]
    return corrected


def _next_batch(after: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM customers_customer WHERE id > %s ORDER BY id LIMIT %s", [after, BATCH]
        )
        return [row[0] for row in cursor.fetchall()]
