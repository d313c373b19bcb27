"""The posteriors of variants: the probability that each is the best, and samples for a bandit.

Rates have the posterior of a binomial with a uniform prior, Beta(1 + successes, 1 + failures). Revenue per message has that of a mean with
unknown variance under the reference prior: Student's t around the mean with n − 1 degrees of freedom (Gelman et al., Bayesian Data
Analysis, 3rd ed., 2.4 and 3.2); it relies on the central limit theorem and needs some dozens of messages. A variant whose messages all
brought the same takes the pooled variance of all variants, so that no variance is not taken for certainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

DRAWS = 50_000
SEED = 20_110_913

Draws = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tally:
    """The delivered messages of a variant, and how many had the result; for revenue its sum and sum of squares."""

    name: str
    messages: int
    total: float
    squares: float | None = None

    @property
    def value(self) -> float:
        """Return the rate, or the revenue per message; 0 without messages."""
        return self.total / self.messages if self.messages else 0.0

    @property
    def variance(self) -> float:
        """Return the sample variance of revenue; 0 for fewer than two messages."""
        if self.messages < 2 or self.squares is None:
            return 0.0
        return max(0.0, (self.squares - self.total**2 / self.messages) / (self.messages - 1))


def probabilities_to_be_best(tallies: Sequence[Tally]) -> dict[str, float]:
    """Return the probability, by name, that each has the highest true value; they add up to 1.

    They come from a Monte Carlo simulation with a fixed seed, to about ± 0.005.
    """
    drawn = _draw(tallies, DRAWS, np.random.default_rng(SEED))
    best = drawn == drawn.max(axis=1, keepdims=True)
    shares = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return {tally.name: float(share) for tally, share in zip(tallies, shares, strict=True)}


def thompson(tallies: Sequence[Tally], number: int, seed: Sequence[int]) -> list[str]:
    """Draw `number` names, each as often as it is likely the best, by Thompson sampling.

    Source: W. R. Thompson, "On the likelihood that one unknown probability exceeds another in view of the evidence of two samples",
    Biometrika 25 (1933); in batches, as feedback is delayed: O. Chapelle and L. Li, "An Empirical Evaluation of Thompson Sampling", 2011.
    """
    generator = np.random.default_rng(list(seed))
    drawn = _draw(tallies, number, generator)
    tied = drawn == drawn.max(axis=1, keepdims=True)
    chosen = np.where(tied, generator.random(drawn.shape), -1.0).argmax(axis=1)
    return [tallies[index].name for index in chosen]


def _draw(tallies: Sequence[Tally], number: int, generator: np.random.Generator) -> Draws:
    """Draw `number` rows of true values, a column for each variant."""
    if any(tally.squares is not None for tally in tallies):
        shared = _pooled_variance(tallies)
        columns = [_draw_mean(tally, shared, number, generator) for tally in tallies]
    else:
        columns = [
            generator.beta(1 + tally.total, 1 + max(tally.messages - tally.total, 0), number)
            for tally in tallies
        ]
    return np.stack(columns, axis=1)


def _draw_mean(
    tally: Tally, shared_variance: float, number: int, generator: np.random.Generator
) -> Draws:
    scale = sqrt((tally.variance or shared_variance) / max(tally.messages, 1))
    return tally.value + scale * generator.standard_t(max(tally.messages - 1, 1), number)


def _pooled_variance(tallies: Sequence[Tally]) -> float:
    together = Tally(
        "",
        sum(tally.messages for tally in tallies),
        sum(tally.total for tally in tallies),
        sum(tally.squares or 0.0 for tally in tallies),
    )
    return together.variance
