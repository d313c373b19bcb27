"""How probable it is that an arm is the best, and what choosing it would cost if it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.experiments.arms import Measure, Rate

DRAWS = 100_000
SEED = 20260101


@dataclass(frozen=True, slots=True)
class Belief:
    """`best` is a probability; `expected_loss` is in the units of the metric: what is lost on average a customer by choosing this arm
    (Stucchio 2015, "Bayesian A/B Testing at VWO")."""

    best: float
    expected_loss: float


def beliefs(arms: Sequence[Measure]) -> list[Belief]:
    """Of each arm, by the same draws each time from what is believed of each: Beta(1 + count, 1 + others) for rates, and for means the
    normal distribution that the central limit theorem gives."""
    if not arms:
        return []
    random = np.random.default_rng(SEED)
    drawn = np.array([_drawn(arm, random) for arm in arms])
    winners = np.bincount(drawn.argmax(axis=0), minlength=len(arms)) / DRAWS
    losses = (drawn.max(axis=0) - drawn).mean(axis=1)
    return [Belief(float(best), float(loss)) for best, loss in zip(winners, losses, strict=True)]


def _drawn(arm: Measure, random: np.random.Generator) -> npt.NDArray[np.float64]:
    if isinstance(arm, Rate):
        return random.beta(1 + arm.count, 1 + arm.customers - arm.count, DRAWS)
    return random.normal(arm.value, arm.standard_error, DRAWS)
