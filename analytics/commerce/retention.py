"""Retention: customers by the month of their first purchase, and how many buy again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import connection

from crm import masking

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
