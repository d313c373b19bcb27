"""The risk that a customer buys nothing in the next months, by a logistic regression that is checked on weeks it has not seen.

It is fitted on what people had done by one day and whether they bought in the weeks after it, and checked on the weeks after those.
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
FEWEST_CUSTOMERS: Final = 500
FEWEST_OF_A_KIND: Final = 50
LARGEST_SAMPLE: Final = 200_000
FEATURES: Final = ("days_since", "purchases", "days_known", "days_between", "recent", "spend")
"""Days since the last purchase, days with purchases, days since the first, mean days between them, purchases in the last 90 days, and
mean spend; of all of them the logarithm is taken."""

_SQL = """
    SELECT customer_id, %(at)s::date - max(day), count(*), %(at)s::date - min(day),
           coalesce((max(day) - min(day))::float8 / nullif(count(*) - 1, 0), %(at)s::date - min(day)),
           count(*) FILTER (WHERE day > %(at)s::date - 90), avg(amount)
    FROM (
        SELECT customer_id, (placed_at AT TIME ZONE %(zone)s)::date AS day, sum(amount)::float8 AS amount
        FROM customers_order WHERE amount >= 0 {of}
        GROUP BY 1, 2
    ) AS days
    WHERE day <= %(at)s
    GROUP BY customer_id
    ORDER BY customer_id
"""
_BUYERS = """
    SELECT DISTINCT customer_id FROM customers_order
    WHERE amount >= 0 AND (placed_at AT TIME ZONE %(zone)s)::date > %(at)s
      AND (placed_at AT TIME ZONE %(zone)s)::date <= %(until)s
"""


@dataclass(frozen=True, slots=True)
class Churn:
    """A fitted regression: how much each feature adds to the log-odds of not coming back, after it is centred and scaled."""

    centres: list[float]
    scales: list[float]
    weights: list[float]
    intercept: float

    def risk(self, features: np.ndarray) -> np.ndarray:
        """Of each row of FEATURES, 0 to 1."""
        scaled = (np.log1p(features) - self.centres) / self.scales
        risks: np.ndarray = expit(scaled @ np.array(self.weights) + self.intercept)
        return risks

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Self:
        return cls(**{name: kept[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Quality:
    """On the weeks held out: `auc` and `auc_of_recency` alone, the Brier score, and for each tenth of the risks the mean risk and how
    many really did not come back."""

    auc: float
    auc_of_recency: float
    brier: float
    calibration: list[tuple[float, float]]

    @property
    def is_useful(self) -> bool:
        """Whether it says more than how long ago somebody bought."""
        return self.auc >= self.auc_of_recency


def features(at: date, customer_ids: Sequence[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Keys of customers who had bought by the end of a day, and their FEATURES then, a row each."""
    of = "" if customer_ids is None else "AND customer_id = ANY(%(people)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL.format(of=of),
            {"at": at, "zone": settings.TIME_ZONE, "people": list(customer_ids or ())},
        )
        rows = np.array(cursor.fetchall(), dtype=float).reshape(-1, 1 + len(FEATURES))
    return rows[:, 0].astype(np.int64), rows[:, 1:]


def fit(until: date) -> tuple[Churn, Quality, int] | None:
    """The model as of a day, its quality, and of how many customers; None where there are too few, or too short a history."""
    from sklearn.metrics import brier_score_loss, roc_auc_score  # heavy: not for every process

    train_at, check_at = until - 2 * HORIZON, until - HORIZON
    known, gone = _examples(train_at)
    checked, really_gone = _examples(check_at)
    if not _is_enough(gone) or not _is_enough(really_gone):
        return None
    model = _fitted(known, gone)
    risks = model.risk(checked)
    quality = Quality(
        float(roc_auc_score(really_gone, risks)),
        float(roc_auc_score(really_gone, checked[:, 0])),
        float(brier_score_loss(really_gone, risks)),
        _calibration(risks, really_gone),
    )
    return _fitted(checked, really_gone), quality, len(checked)


def _examples(at: date) -> tuple[np.ndarray, np.ndarray]:
    """Features as of a day, and who bought nothing in the HORIZON after it."""
    customers, known = features(at)
    with connection.cursor() as cursor:
        cursor.execute(_BUYERS, {"at": at, "until": at + HORIZON, "zone": settings.TIME_ZONE})
        buyers = np.array([row[0] for row in cursor.fetchall()], dtype=np.int64)
    return known, ~np.isin(customers, buyers)


def _is_enough(gone: np.ndarray) -> bool:
    return len(gone) >= FEWEST_CUSTOMERS and min(gone.sum(), (~gone).sum()) >= FEWEST_OF_A_KIND


def _fitted(known: np.ndarray, gone: np.ndarray) -> Churn:
    from sklearn.linear_model import LogisticRegression

    step = max(1, len(known) // LARGEST_SAMPLE)
    logs, gone = np.log1p(known[::step]), gone[::step]
    centres, scales = logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-9)
    regression = LogisticRegression(max_iter=1_000).fit((logs - centres) / scales, gone)
    return Churn(
        centres.tolist(),
        scales.tolist(),
        regression.coef_[0].tolist(),
        float(regression.intercept_[0]),
    )


def _calibration(risks: np.ndarray, gone: np.ndarray) -> list[tuple[float, float]]:
    tenths = np.array_split(np.argsort(risks), 10)
    return [(float(risks[each].mean()), float(gone[each].mean())) for each in tenths if len(each)]
