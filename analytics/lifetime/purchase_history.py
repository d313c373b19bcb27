"""Purchase histories of customers as of the end of a day: the input of BG/NBD and gamma-gamma."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection

Numbers = npt.NDArray[np.float64]
DAYS_A_WEEK = 7

# purchases of one day count as one, free orders included, net of their refunds
_SQL = """
    SELECT customer_id, count(*) - 1, max(day) - min(day), %(until)s::date - min(day),
           coalesce(avg(amount) FILTER (WHERE day > first_day), 0), min(day)
    FROM (
        SELECT customer_id, day, sum(amount) AS amount, min(day) OVER (PARTITION BY customer_id) AS first_day
        FROM (
            SELECT customer_id, (placed_at AT TIME ZONE %(zone)s)::date AS day, coalesce(net, 0) AS amount
            FROM customers_order WHERE kind = 'order' {of}
        ) AS dated
        WHERE day <= %(until)s
        GROUP BY customer_id, day
    ) AS days
    GROUP BY customer_id
    ORDER BY customer_id
"""


@dataclass(frozen=True, slots=True)
class History:
    """One entry for each customer, times in weeks since the customer's first purchase.

    `repeats` counts the days with purchases after the first, `recency` is the time of the last of them (0 without any), `age` the time
    observed, `spend` the mean amount of the repeat purchases (0 without any). All four have the same length.
    """

    repeats: Numbers
    recency: Numbers
    age: Numbers
    spend: Numbers

    def __len__(self) -> int:
        return len(self.repeats)


@dataclass(frozen=True, slots=True)
class Purchases:
    """The history of `customers`, by their ids in the same order; `since` is the first day of all."""

    customers: np.ndarray
    history: History
    since: date | None


def purchases(until: date, customer_ids: Sequence[int] | None = None) -> Purchases:
    """Read the purchases up to and with a day, of all customers or of those given."""
    of = "" if customer_ids is None else "AND customer_id = ANY(%(customers)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL.format(of=of),
            {"until": until, "zone": settings.TIME_ZONE, "customers": list(customer_ids or ())},
        )
        rows = cursor.fetchall()
    if not rows:
        nothing = np.zeros(0)
        return Purchases(np.zeros(0, dtype=np.int64), History(*[nothing] * 4), None)
    customers, repeats, recency, age, spend, first_days = zip(*rows, strict=True)
    return Purchases(
        np.array(customers),
        History(
            np.array(repeats, dtype=float),
            np.array(recency, dtype=float) / DAYS_A_WEEK,
            np.array(age, dtype=float) / DAYS_A_WEEK,
            np.array(spend, dtype=float),
        ),
        min(first_days),
    )
