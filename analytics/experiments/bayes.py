"""Bayesian posteriors: the probability that an arm is best, and the expected loss of choosing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketing.statistics import Measure, Rate

DRAWS = 100_000
SEED = 20260101


@dataclass(frozen=True, slots=True)
class Posterior:
    """The probability to be best, and the expected loss per customer of this choice (Stucchio 2015, "Bayesian A/B Testing at VWO")."""

    best: float
    expected_loss: float


def posteriors(arms: Sequence[Measure]) -> list[Posterior]:
    """Return the posterior of each arm, from reproducible draws.

    A rate is drawn from Beta(1 + count, 1 + others), a mean from the normal distribution of the central limit theorem.
    """
    if not arms:
        return []
    random = np.random.default_rng(SEED)
    drawn = np.array([_drawn(arm, random) for arm in arms])
    winners = np.bincount(drawn.argmax(axis=0), minlength=len(arms)) / DRAWS
    losses = (drawn.max(axis=0) - drawn).mean(axis=1)
    return [Posterior(float(best), float(loss)) for best, loss in zip(winners, losses, strict=True)]


def _drawn(arm: Measure, random: np.random.Generator) -> npt.NDArray[np.float64]:
    if isinstance(arm, Rate):
        return random.beta(1 + arm.count, 1 + arm.customers - arm.count, DRAWS)
    return random.normal(arm.value, arm.standard_error, DRAWS)
