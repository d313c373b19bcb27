"""Predict purchases, spend and churn: models are fitted on all customers, and applied to any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

import numpy as np

from analytics.lifetime import (
    DAYS_A_WEEK,
    BgNbd,
    GammaGamma,
    History,
    TooLittleData,
    fit_bg_nbd,
    fit_gamma_gamma,
    purchases,
)
from analytics.models import ModelRun
from analytics.people import churn
from analytics.people.churn import Churn

YEAR_IN_WEEKS = 365 / DAYS_A_WEEK
LARGEST_SAMPLE = 200_000
Kind = ModelRun.Kind


@dataclass(frozen=True, slots=True)
class Models:
    """Models fitted on data up to and with `until`; None where there was too little data."""

    until: date
    purchases: BgNbd | None
    spend: GammaGamma | None
    churn: Churn | None

    @classmethod
    def of(cls, runs: Iterable[ModelRun], until: date) -> Self:
        """Restore the models from their runs."""
        parameters = {run.kind: run.parameters for run in runs if run.parameters}
        return cls(
            until,
            BgNbd(**parameters[Kind.BG_NBD]) if Kind.BG_NBD in parameters else None,
            GammaGamma(**parameters[Kind.GAMMA_GAMMA]) if Kind.GAMMA_GAMMA in parameters else None,
            Churn.read(parameters[Kind.CHURN]) if Kind.CHURN in parameters else None,
        )


@dataclass(frozen=True, slots=True)
class Predictions:
    """One entry for each customer with a purchase, NaN if unknown; `orders` and `value` are those of the next year."""

    customers: np.ndarray
    alive: np.ndarray
    orders: np.ndarray
    value: np.ndarray
    risk: np.ndarray


def fit_models(until: date) -> list[ModelRun]:
    """Fit every model on the purchases up to a day; return the unsaved runs with parameters and quality."""
    found = purchases(until)
    sample = _sampled(found.history)
    again = int((sample.repeats > 0).sum())
    runs = [
        _run(Kind.BG_NBD, fit_bg_nbd, sample, len(sample)),
        _run(Kind.GAMMA_GAMMA, fit_gamma_gamma, sample, again),
        _churn_run(churn.fit(until)),
    ]
    for run in runs:
        run.data_from, run.data_until = found.since, until
    return runs


def predict(models: Models, customer_ids: Sequence[int] | None = None) -> Predictions:
    """Predict for all customers with a purchase, or for those of the given customers."""
    found = purchases(models.until, customer_ids)
    history = found.history
    unknown = np.full(len(history), np.nan)
    if models.purchases is None:
        return Predictions(found.customers, unknown, unknown, unknown, unknown)
    orders = models.purchases.purchases(history, YEAR_IN_WEEKS)
    value = orders * models.spend.spend(history) if models.spend else unknown
    risk = models.purchases.silent(history, churn.HORIZON.days / DAYS_A_WEEK)
    if models.churn is not None:
        _customers, known = churn.features(models.until, customer_ids)
        risk = models.churn.risk(known)
    return Predictions(found.customers, models.purchases.alive(history), orders, value, risk)


def _run(
    kind: str, fit: Callable[[History], tuple[Any, float]], history: History, customers: int
) -> ModelRun:
    """Fit one model; the run has no parameters if there is too little data."""
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


def _churn_run(found: tuple[Churn, churn.Quality, int] | None) -> ModelRun:
    if found is None:
        return ModelRun(kind=Kind.CHURN)
    model, quality, customers = found
    parameters = asdict(model) if quality.is_useful else {}
    return ModelRun(
        kind=Kind.CHURN, customers=customers, parameters=parameters, quality=asdict(quality)
    )


def _sampled(history: History) -> History:
    """Take every n-th customer, so that at most about LARGEST_SAMPLE remain."""
    step = max(1, len(history) // LARGEST_SAMPLE)
    return History(
        history.repeats[::step], history.recency[::step], history.age[::step], history.spend[::step]
    )
