"""Compute the money of orders: in the site's currency, net of refunds.

The rate of a day without one, such as a Sunday, is that of the last day with one, at most a week before. An order without a rate is
stored without its money, which takes part as soon as there is a rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from crm.events import outbox
from crm.queues import give_way
from customers import customer_totals
from customers.timeline import types

OLDEST_DAYS = 7
BATCH = 5_000
EVENT_SIZE = 1_000


def rate_sql(currency: str, moment: str) -> str:
    """Return SQL for the value of one unit of a currency in the site's, NULL without a rate, with parameters()."""
    day = f"({moment} AT TIME ZONE %(site_zone)s)::date"
    return f"""
        CASE WHEN {currency} = %(site_currency)s THEN 1 ELSE (
            SELECT round(site.rate / own.rate, 12) FROM customers_exchangerate own
            JOIN customers_exchangerate site
                ON site.currency = %(site_currency)s AND site.day = own.day AND site.base = own.base
            WHERE own.currency = {currency} AND own.day <= {day} AND own.day >= {day} - {OLDEST_DAYS}
            ORDER BY own.day DESC, own.base LIMIT 1
        ) END
    """


def parameters() -> dict[str, Any]:
    """Return the parameters of rate_sql()."""
    return {"site_currency": settings.CURRENCY, "site_zone": settings.TIME_ZONE}


def lower_sql(orders: str) -> list[str]:
    """Return statements that update the refunded part of orders and their lines, for a query of their ids.

    Refunds add up. A row with the id of the order itself says how much was taken back in all, so the greater of the two counts, and never
    more than was paid. A refund with lines lowers the lines of its products; the rest lowers what is left of all lines in proportion.
    """
    return [
        f"""
        UPDATE customers_order original SET refunded = least(original.amount, given.amount), updated_at = now()
        FROM (
            SELECT ordered.id, CASE WHEN bool_or(refund.is_whole) THEN ordered.amount ELSE greatest(
                sum(converted) FILTER (WHERE refund.external_id <> ordered.external_id),
                max(converted) FILTER (WHERE refund.external_id = ordered.external_id), 0
            ) END AS amount
            FROM customers_order refund JOIN customers_order ordered ON ordered.id = refund.refund_of_id
            CROSS JOIN LATERAL (SELECT round(
                -refund.amount * CASE WHEN refund.currency = ordered.currency THEN 1 ELSE refund.rate / ordered.rate END, 2
            ) AS converted) taken
            WHERE refund.refund_of_id IN ({orders}) GROUP BY ordered.id
        ) given
        WHERE original.id = given.id AND original.refunded <> least(original.amount, given.amount)
        """,
        f"""
        UPDATE customers_orderline line SET refunded = lowered.refunded
        FROM (
            SELECT id, round(direct + (amount - direct) * CASE WHEN whole > all_direct
                   THEN least(greatest((taken - all_direct) / (whole - all_direct), 0), 1) ELSE 0 END, 2) AS refunded
            FROM (
                SELECT *, sum(direct) OVER (PARTITION BY order_id) AS all_direct
                FROM (
                    SELECT line.id, line.order_id, line.amount, original.amount AS whole, original.refunded AS taken,
                           coalesce(least(coalesce(given.amount, 0), sum(line.amount) OVER same)
                                    * line.amount / nullif(sum(line.amount) OVER same, 0), 0) AS direct
                    FROM customers_orderline line JOIN customers_order original ON original.id = line.order_id
                    LEFT JOIN (
                        SELECT refund.refund_of_id, given.product_id, given.name, -sum(given.amount) AS amount
                        FROM customers_order refund JOIN customers_orderline given ON given.order_id = refund.id
                        WHERE refund.refund_of_id IN ({orders}) GROUP BY 1, 2, 3
                    ) given ON given.refund_of_id = line.order_id AND given.name = line.name
                        AND given.product_id IS NOT DISTINCT FROM line.product_id
                    WHERE line.order_id IN ({orders})
                    WINDOW same AS (PARTITION BY line.order_id, line.product_id, line.name)
                ) found
            ) summed
        ) lowered
        WHERE line.id = lowered.id AND line.refunded <> lowered.refunded
        """,
    ]


_OUTDATED = f"""
    SELECT id, customer_id, refund_of_id, current.rate FROM customers_order
    CROSS JOIN LATERAL (SELECT {rate_sql("customers_order.currency", "placed_at")} AS rate) current
    WHERE id > %(after)s AND customers_order.rate IS DISTINCT FROM current.rate {{among}}
    ORDER BY id LIMIT {BATCH}
"""
_ON_DAYS = f"""
    AND currency <> %(site_currency)s
    AND placed_at >= %(first)s::date - 1 AND placed_at < %(last)s::date + {OLDEST_DAYS + 2}
"""


def convert_orders(first: date | None = None, last: date | None = None) -> int:
    """Convert orders whose rate changed, all or those that rates from `first` to `last` can concern; returns how many."""
    converted, after = 0, 0
    outdated = _OUTDATED.format(among=_ON_DAYS if first else "")
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            given = {**parameters(), "after": after, "first": first, "last": last}
            cursor.execute(outdated, given)
            rows = cursor.fetchall()
            if not rows:
                return converted
            ids, customers, originals, rates = map(list, zip(*rows, strict=True))
            cursor.execute(
                """
                UPDATE customers_order SET rate = new.rate, updated_at = now()
                FROM unnest(%s::bigint[], %s::numeric[]) AS new(id, rate) WHERE customers_order.id = new.id
                """,
                [ids, rates],
            )
            lowered = sorted({*ids, *originals} - {None})
            for statement in lower_sql("SELECT unnest(%(ids)s::bigint[])"):
                cursor.execute(statement, {"ids": lowered})
            customer_totals.recompute(sorted(set(customers)))
            _emit_recorded(lowered)
        give_way()
        converted += len(ids)
        after = ids[-1]


def _emit_recorded(orders: Sequence[int]) -> None:
    for start in range(0, len(orders), EVENT_SIZE):
        data = {"order_ids": list(orders[start : start + EVENT_SIZE])}
        outbox.emit(types.ORDERS_RECORDED, data=data)
