"""Segments against the best handwritten SQL for the same rule, and increments against a full refresh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from django.db import connection

from benchmarks.harness import Result, Scale, medians_in_turn, seconds
from benchmarks.population import populate
from benchmarks.segment_changes import changes_one_by_one
from customers.models import Segment
from customers.segments import preview, refresh, refresh_for


@dataclass(frozen=True)
class Case:
    """A rule, and handwritten SQL for the ids of matching customers."""

    name: str
    rules: dict[str, Any]
    by_hand: str


def _all_of(*conditions: dict[str, Any], operator: str = "AND") -> dict[str, Any]:
    return {"operator": operator, "conditions": list(conditions)}


CASES = [
    Case(
        "spent over 500 in at least 3 orders",
        _all_of(
            {"field": "total_spend", "operator": ">", "value": 500},
            {"field": "order_count", "operator": ">=", "value": 3},
        ),
        "SELECT id FROM customers_customer WHERE total_spend > 500 AND order_count >= 3",
    ),
    Case(
        "from Berlin or Paris, active, no order in 90 days",
        _all_of(
            {"field": "city", "operator": "in", "value": ["Berlin", "Paris"]},
            {"field": "lifecycle_status", "operator": "=", "value": "active"},
            {"field": "last_order_at", "operator": "inactive_days", "value": 90},
        ),
        """
        SELECT id FROM customers_customer WHERE lower(city) IN ('berlin', 'paris') AND lifecycle_status = 'active'
        AND (last_order_at < now() - interval '90 days' OR last_order_at IS NULL)
        """,
    ),
    Case(
        "VIP, 30 to 50 years old, reachable by e-mail, on the pro plan",
        _all_of(
            {"field": "tags", "operator": "contains", "value": "vip"},
            {"field": "age", "operator": "between", "value": [30, 50]},
            {"field": "subscribed", "operator": "contains", "value": "email"},
            {"field": "attributes.plan", "operator": "=", "value": "pro"},
        ),
        """
        SELECT id FROM customers_customer customer WHERE lower(tags::text)::text[] && '{vip}'
        AND extract(year FROM age(current_date, date_of_birth)) BETWEEN 30 AND 50
        AND email > '' AND NOT opted_out_channels @> '{email}' AND lower(attributes ->> 'plan') = 'pro'
        AND NOT EXISTS (
            SELECT FROM customers_suppression s WHERE s.channel = 'email' AND lower(s.address) = lower(customer.email)
        )
        """,
    ),
    Case(
        "spent at least 100 on books in 180 days",
        _all_of(
            {
                "event": "order_placed",
                "aggregate": "sum:amount",
                "operator": ">=",
                "value": 100,
                "within_days": 180,
                "where": [{"field": "category", "operator": "=", "value": "Books"}],
            },
            {"field": "country", "operator": "!=", "value": "NO"},
        ),
        """
        SELECT customer.id FROM customers_customer customer JOIN (
            SELECT customer_id FROM customers_order orders
            JOIN customers_orderline line ON line.order_id = orders.id
            JOIN customers_product product ON product.id = line.product_id
            WHERE lower(product.category) = 'books' AND placed_at BETWEEN now() - interval '180 days' AND now()
            GROUP BY customer_id HAVING sum(line.amount) >= 100
        ) bought ON bought.customer_id = customer.id
        WHERE country <> 'NO'
        """,
    ),
    Case(
        "opened nothing in 60 days, but was written to",
        _all_of(
            {"event": "message_opened", "operator": "=", "value": 0, "within_days": 60},
            {"event": "message_sent", "operator": ">=", "value": 1, "within_days": 60},
        ),
        """
        SELECT id FROM customers_customer customer
        WHERE EXISTS (
            SELECT FROM customers_interaction WHERE type = 'message_sent' AND customer_id = customer.id
            AND occurred_at BETWEEN now() - interval '60 days' AND now()
        ) AND NOT EXISTS (
            SELECT FROM customers_interaction WHERE type = 'message_opened' AND customer_id = customer.id
            AND occurred_at BETWEEN now() - interval '60 days' AND now()
        )
        """,
    ),
    Case(
        "spent over 800, or viewed two pages in a month, and no order lately",
        _all_of(
            _all_of(
                {"field": "total_spend", "operator": ">", "value": 800},
                {"event": "page_viewed", "operator": ">=", "value": 2, "within_days": 30},
                operator="OR",
            ),
            {"field": "last_order_at", "operator": "inactive_days", "value": 30},
        ),
        """
        SELECT id FROM customers_customer customer LEFT JOIN (
            SELECT customer_id, count(*) AS views FROM customers_interaction WHERE type = 'page_viewed'
            AND occurred_at BETWEEN now() - interval '30 days' AND now() GROUP BY customer_id
        ) viewed ON viewed.customer_id = customer.id
        WHERE (total_spend > 800 OR views >= 2)
        AND (last_order_at < now() - interval '30 days' OR last_order_at IS NULL)
        """,
    ),
]

_DIFF_BY_HAND = """
    WITH matching AS MATERIALIZED ({matching}), entered AS (
        INSERT INTO customers_segmentmembership (segment_id, customer_id, entered_at)
        SELECT %(segment)s, id, now() FROM matching WHERE NOT EXISTS (
            SELECT FROM customers_segmentmembership m WHERE m.segment_id = %(segment)s AND m.customer_id = matching.id
        ) RETURNING customer_id
    ), exited AS (
        DELETE FROM customers_segmentmembership m WHERE segment_id = %(segment)s
        AND NOT EXISTS (SELECT FROM matching WHERE matching.id = m.customer_id) RETURNING customer_id
    ), told AS (
        INSERT INTO events_marketingevent (type, subject, customer_id, data)
        SELECT 'segment.entered', 'bench', customer_id, '{{}}'::jsonb FROM entered UNION ALL
        SELECT 'segment.exited', 'bench', customer_id, '{{}}'::jsonb FROM exited
    )
    UPDATE customers_segment SET refreshed_at = now(), refresh_ms = 0, size = (SELECT count(*) FROM matching)
    WHERE id = %(segment)s RETURNING size
"""
WAITED_FOR = 0.3  # seconds; past it a preview gives an estimate
ROUNDS = 3
SHARE_CHANGED = 100  # one customer in so many


def run(scale: Scale) -> Iterator[Result]:
    populate(scale)
    for case in CASES:
        segment = Segment.objects.create(name=case.name[:100], slug="bench", rules=case.rules)
        refresh(segment)
        _analyze()
        yield _refresh(case, segment, scale)
        yield from _preview(case, scale)
        segment.delete()
    yield from _after_changes(scale)
    yield changes_one_by_one()
    _empty()


def _refresh(case: Case, segment: Segment, scale: Scale) -> Result:
    by_hand = _DIFF_BY_HAND.format(matching=case.by_hand)
    ours, reference = medians_in_turn(
        lambda: refresh(segment), lambda: _execute(by_hand, {"segment": segment.pk})
    )
    return Result(f"segment refresh: {case.name}", 1 / ours, 1 / reference, target=_at(scale, 0.9))


def _preview(case: Case, scale: Scale) -> Iterator[Result]:
    """Measure count and sample against handwritten SQL, and the latency of a preview."""

    def by_hand() -> None:
        _execute("SELECT count(*) FROM (SELECT FROM customers_customer LIMIT 200001) p")
        _execute(f"SELECT count(*) FROM ({case.by_hand}) p")
        _execute(f"SELECT * FROM customers_customer WHERE id IN ({case.by_hand} LIMIT 10)")

    ours, reference = medians_in_turn(lambda: preview(case.rules), by_hand)
    yield Result(f"preview count: {case.name}", 1 / ours, 1 / reference, target=_at(scale, 0.8))
    yield Result(f"preview within 300 ms: {case.name}", 1 / ours, 1 / WAITED_FOR, target=1)


def _after_changes(scale: Scale) -> Iterator[Result]:
    """Let 1 % of the customers buy; measure a refresh by diff and one of those customers against a full one."""
    case = CASES[0]
    segment = Segment.objects.create(name=case.name, slug="bench", rules=case.rules)
    full, by_difference, for_them = [], [], []
    for turn in range(ROUNDS):
        segment.memberships.all().delete()
        full.append(seconds(partial(refresh, segment)))
        _analyze()
        _change(2 * turn)
        by_difference.append(seconds(partial(refresh, segment)))
        changed = _change(2 * turn + 1)
        for_them.append(seconds(partial(refresh_for, segment, changed)))
    segment.delete()
    reference = 1 / median(full)
    yield Result("refresh after 1 % changed", 1 / median(by_difference), reference, target=2)
    name = "refresh when the changed people are known"
    yield Result(name, 1 / median(for_them), reference, target=_at(scale, 20))


def _at(scale: Scale, target: float) -> float:
    """Return the target at full scale; on few rows the fixed cost of a call dominates."""
    return target if scale is Scale.FULL else target / 3


def _change(rest: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customer SET total_spend = total_spend + 150, order_count = order_count + 1, "
            "last_order_at = now() WHERE id %% %s = %s RETURNING id",
            [SHARE_CHANGED, rest],
        )
        return [row[0] for row in cursor.fetchall()]


def _execute(sql: str, parameters: dict[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        cursor.fetchall()


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) customers_segmentmembership")


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE customers_customer, customers_product, customers_segment, events_marketingevent "
            "RESTART IDENTITY CASCADE"
        )
