"""What people are expected to do: fitted on everyone now and then, and asked of anyone at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

import numpy as np

from analytics.lifetime import bg_nbd, gamma_gamma
from analytics.lifetime.bg_nbd import BgNbd, TooLittleData
from analytics.lifetime.gamma_gamma import GammaGamma
from analytics.lifetime.history import History
from analytics.lifetime.purchases import DAYS_A_WEEK, purchases
from analytics.models import ModelRun
from analytics.people import churn
from analytics.people.churn import Churn

YEAR_IN_WEEKS = 365 / DAYS_A_WEEK
LARGEST_SAMPLE = 200_000
Kind = ModelRun.Kind


@dataclass(frozen=True, slots=True)
class Models:
    """Fitted models; None for one that there is too little data for. `until` is the day that they speak as of."""

    until: date
    buying: BgNbd | None
    spending: GammaGamma | None
    leaving: Churn | None

    @classmethod
    def of(cls, runs: Iterable[ModelRun], until: date) -> Self:
        """Read the models of these runs back, one of a kind."""
        kept = {run.kind: run.parameters for run in runs if run.parameters}
        return cls(
            until,
            BgNbd(**kept[Kind.BG_NBD]) if Kind.BG_NBD in kept else None,
            GammaGamma(**kept[Kind.GAMMA_GAMMA]) if Kind.GAMMA_GAMMA in kept else None,
            Churn.read(kept[Kind.CHURN]) if Kind.CHURN in kept else None,
        )


@dataclass(frozen=True, slots=True)
class Predictions:
    """One entry a customer who has bought; NaN where it cannot be said. `value` is what is expected of the next year."""

    customers: np.ndarray
    alive: np.ndarray
    orders: np.ndarray
    value: np.ndarray
    risk: np.ndarray


def fit(until: date) -> list[ModelRun]:
    """Fit every model on what was bought up to a day: the runs, not saved yet, with their parameters and quality."""
    found = purchases(until)
    sample = _sampled(found.history)
    again = int((sample.repeats > 0).sum())
    runs = [
        _run(Kind.BG_NBD, bg_nbd.fit, sample, len(sample)),
        _run(Kind.GAMMA_GAMMA, gamma_gamma.fit, sample, again),
        _run_of_churn(churn.fit(until)),
    ]
    for run in runs:
        run.data_from, run.data_until = found.since, until
    return runs


def predict(models: Models, customer_ids: Sequence[int] | None = None) -> Predictions:
    """Of everyone who has bought, or of those named who have."""
    found = purchases(models.until, customer_ids)
    history = found.history
    unknown = np.full(len(history), np.nan)
    if models.buying is None:
        return Predictions(found.customers, unknown, unknown, unknown, unknown)
    orders = models.buying.purchases(history, YEAR_IN_WEEKS)
    value = orders * models.spending.spend(history) if models.spending else unknown
    risk = models.buying.silent(history, churn.HORIZON.days / DAYS_A_WEEK)
    if models.leaving is not None:
        _customers, known = churn.features(models.until, customer_ids)
        risk = models.leaving.risk(known)
    return Predictions(found.customers, models.buying.alive(history), orders, value, risk)


def _run(
    kind: str, fit: Callable[[History], tuple[Any, float]], history: History, customers: int
) -> ModelRun:
    """Without parameters where there is too little to go by."""
    try:
        model, likelihood = fit(history)
    except TooLittleData:
        return ModelRun(kind=kind, customers=customers)
    return ModelRun(
        kind=kind,
        customers=customers,
        parameters=asdict(model),
        quality={"log_likelihood": likelihood},
    )


def _run_of_churn(found: tuple[Churn, churn.Quality, int] | None) -> ModelRun:
    if found is None:
        return ModelRun(kind=Kind.CHURN)
    model, quality, customers = found
    kept = asdict(model) if quality.is_useful else {}
    return ModelRun(kind=Kind.CHURN, customers=customers, parameters=kept, quality=asdict(quality))


def _sampled(history: History) -> History:
    """Every so many-th customer where there are more than a fit needs."""
    step = max(1, len(history) // LARGEST_SAMPLE)
    return History(
        history.repeats[::step], history.recency[::step], history.age[::step], history.spend[::step]
    )
