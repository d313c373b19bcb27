"""Retention: customers by the month of their first purchase, and how many customers buy again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import connection
from django.db.models import Count, Q

from analytics.days import day_bounds
from crm import masking
from customers.models import Customer

_SQL = """
    WITH purchases AS (
        SELECT customer_id, date_trunc('month', placed_at AT TIME ZONE %(zone)s)::date AS month, coalesce(sum(net), 0) AS revenue
        FROM customers_order WHERE kind = 'order' AND placed_at < (%(end)s::timestamp AT TIME ZONE %(zone)s)
        GROUP BY 1, 2
    ), dated AS (
        SELECT *, min(month) OVER (PARTITION BY customer_id) AS first_month FROM purchases
    )
    SELECT first_month, month, count(*), sum(revenue) FROM dated
    WHERE first_month >= %(start)s GROUP BY 1, 2 ORDER BY 1, 2
"""

_RETAINED = """
    SELECT count(*) FILTER (WHERE before), count(*) FILTER (WHERE before AND now) FROM (
        SELECT bool_or(placed_at < %(start)s) AS before, bool_or(placed_at >= %(start)s) AS now
        FROM customers_order WHERE kind = 'order' AND placed_at >= %(start_before)s AND placed_at < %(end)s
        GROUP BY customer_id
    ) AS buyers
"""


@dataclass(frozen=True, slots=True)
class Loyalty:
    """Buyers of the period before and those of them who bought in the period; buyers of all time, and those with two orders or more."""

    buyers_before: int
    retained: int
    buyers: int
    repeat_buyers: int

    @property
    def retention_rate(self) -> Decimal | None:
        """Return retained / buyers before; None without any."""
        return Decimal(self.retained) / self.buyers_before if self.buyers_before else None

    @property
    def repeat_rate(self) -> Decimal | None:
        """Return repeat buyers / buyers; None without any."""
        return Decimal(self.repeat_buyers) / self.buyers if self.buyers else None


def loyalty(first: date, last: date) -> Loyalty:
    """Return how many buyers of the period before bought from `first` to `last`, and how many buyers of all time bought twice."""
    days = (last - first).days + 1
    start, end = day_bounds(first, last)
    start_before, _start = day_bounds(first - timedelta(days=days), first - timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute(_RETAINED, {"start": start, "start_before": start_before, "end": end})
        buyers_before, retained = cursor.fetchone()
    ever = Customer.objects.present().aggregate(
        buyers=Count("pk", filter=Q(order_count__gt=0)),
        repeat_buyers=Count("pk", filter=Q(order_count__gt=1)),
    )
    return Loyalty(buyers_before, retained, **ever)


@dataclass(frozen=True, slots=True)
class Cohort:
    """Customers who first bought in `month`; `active` and `revenue` have one entry for each month from then on."""

    month: date
    customers: int
    active: list[int]
    revenue: list[Decimal]

    @property
    def retention(self) -> list[float]:
        """Return the fraction of the cohort that bought in each month; 1 in the first."""
        return [each / self.customers if self.customers else 0.0 for each in self.active]


def cohorts(last: date, number: int = 12) -> list[Cohort]:
    """Return the cohorts of the `number` calendar months up to that of `last`, oldest first.

    Months without a first purchase are missing.
    """
    this_month = last.replace(day=1)
    start = this_month - relativedelta(months=number - 1)
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL,
            {
                "zone": settings.TIME_ZONE,
                "start": start,
                "end": this_month + relativedelta(months=1),
            },
        )
        rows = cursor.fetchall()
    by_cohort: dict[date, dict[date, tuple[int, Decimal]]] = {}
    for first_month, month, active, revenue in rows:
        by_cohort.setdefault(first_month, {})[month] = active, revenue
    return [_cohort(first, bought, this_month) for first, bought in by_cohort.items()]


def _cohort(first: date, bought: dict[date, tuple[int, Decimal]], last: date) -> Cohort:
    length = (last.year - first.year) * 12 + last.month - first.month + 1
    months = [
        bought.get(first + relativedelta(months=each), (0, Decimal(0))) for each in range(length)
    ]
    active = [masking.rounded(customers) for customers, _ in months]
    return Cohort(first, active[0], active, [revenue for _, revenue in months])
