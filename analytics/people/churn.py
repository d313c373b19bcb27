"""Churn risk: the probability that a customer buys nothing in the next 90 days, by logistic regression.

The model is fitted on purchases up to one day and the HORIZON after it, and validated on the HORIZON after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Self

import numpy as np
from django.conf import settings
from django.db import connection
from scipy.special import expit

HORIZON: Final = timedelta(days=90)
MIN_CUSTOMERS: Final = 500
MIN_OF_EACH_OUTCOME: Final = 50
LARGEST_SAMPLE: Final = 200_000
FEATURES: Final = ("days_since", "purchases", "days_known", "days_between", "recent", "spend")
"""Days since the last purchase, days with purchases, days since the first, mean days between them, purchases in the last 90 days, and
mean spend; the model takes the logarithm of each."""

_SQL = """
    SELECT customer_id, %(at)s::date - max(day), count(*), %(at)s::date - min(day),
           coalesce((max(day) - min(day))::float8 / nullif(count(*) - 1, 0), %(at)s::date - min(day)),
           count(*) FILTER (WHERE day > %(at)s::date - 90), avg(amount)
    FROM (
        SELECT customer_id, (placed_at AT TIME ZONE %(zone)s)::date AS day, coalesce(sum(net), 0)::float8 AS amount
        FROM customers_order WHERE kind = 'order' {of}
        GROUP BY 1, 2
    ) AS days
    WHERE day <= %(at)s
    GROUP BY customer_id
    ORDER BY customer_id
"""
_BUYERS = """
    SELECT DISTINCT customer_id FROM customers_order
    WHERE kind = 'order' AND (placed_at AT TIME ZONE %(zone)s)::date > %(at)s
      AND (placed_at AT TIME ZONE %(zone)s)::date <= %(until)s
"""


@dataclass(frozen=True, slots=True)
class Churn:
    """A fitted regression: the weight of each centred and scaled feature in the log-odds of churn."""

    centres: list[float]
    scales: list[float]
    weights: list[float]
    intercept: float

    def risk(self, features: np.ndarray) -> np.ndarray:
        """Return the churn risk for each row of FEATURES, 0 to 1."""
        scaled = (np.log1p(features) - self.centres) / self.scales
        risks: np.ndarray = expit(scaled @ np.array(self.weights) + self.intercept)
        return risks

    @classmethod
    def read(cls, parameters: dict[str, Any]) -> Self:
        return cls(**{name: parameters[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality on the validation period: AUC, AUC of recency alone, Brier score, and for each tenth of the risks the mean risk and the
    fraction that churned."""

    auc: float
    auc_of_recency: float
    brier: float
    calibration: list[tuple[float, float]]

    @property
    def is_useful(self) -> bool:
        """Return whether the model beats the recency of the last purchase."""
        return self.auc >= self.auc_of_recency


def features(at: date, customer_ids: Sequence[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids of customers with a purchase by the end of a day, and a row of FEATURES for each."""
    of = "" if customer_ids is None else "AND customer_id = ANY(%(customers)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL.format(of=of),
            {"at": at, "zone": settings.TIME_ZONE, "customers": list(customer_ids or ())},
        )
        rows = np.array(cursor.fetchall(), dtype=float).reshape(-1, 1 + len(FEATURES))
    return rows[:, 0].astype(np.int64), rows[:, 1:]


def fit(until: date) -> tuple[Churn, Quality, int] | None:
    """Fit the model as of a day; return it with its quality and the number of customers, or None if there is too little data."""
    from sklearn.metrics import (  # slow to import, and needed by workers alone
        brier_score_loss,
        roc_auc_score,
    )

    train_at, check_at = until - 2 * HORIZON, until - HORIZON
    known, churned = _examples(train_at)
    checked, churned_later = _examples(check_at)
    if not _is_enough(churned) or not _is_enough(churned_later):
        return None
    model = _fitted(known, churned)
    risks = model.risk(checked)
    quality = Quality(
        float(roc_auc_score(churned_later, risks)),
        float(roc_auc_score(churned_later, checked[:, 0])),
        float(brier_score_loss(churned_later, risks)),
        _calibration(risks, churned_later),
    )
    return _fitted(checked, churned_later), quality, len(checked)


def _examples(at: date) -> tuple[np.ndarray, np.ndarray]:
    """Return the features as of a day, and whether each customer churned in the HORIZON after it."""
    customers, known = features(at)
    with connection.cursor() as cursor:
        cursor.execute(_BUYERS, {"at": at, "until": at + HORIZON, "zone": settings.TIME_ZONE})
        buyers = np.array([row[0] for row in cursor.fetchall()], dtype=np.int64)
    return known, ~np.isin(customers, buyers)


def _is_enough(churned: np.ndarray) -> bool:
    return (
        len(churned) >= MIN_CUSTOMERS
        and min(churned.sum(), (~churned).sum()) >= MIN_OF_EACH_OUTCOME
    )


def _fitted(known: np.ndarray, churned: np.ndarray) -> Churn:
    from sklearn.linear_model import LogisticRegression

    step = max(1, len(known) // LARGEST_SAMPLE)
    logs, churned = np.log1p(known[::step]), churned[::step]
    centres, scales = logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-9)
    regression = LogisticRegression(max_iter=1_000).fit((logs - centres) / scales, churned)
    return Churn(
        centres.tolist(),
        scales.tolist(),
        regression.coef_[0].tolist(),
        float(regression.intercept_[0]),
    )


def _calibration(risks: np.ndarray, churned: np.ndarray) -> list[tuple[float, float]]:
    tenths = np.array_split(np.argsort(risks), 10)
    return [
        (float(risks[each].mean()), float(churned[each].mean())) for each in tenths if len(each)
    ]
