"""The credit of each touchpoint by a model, with how sure it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from analytics.attribution import by_position
from analytics.attribution.markov import Chain
from analytics.attribution.paths import Journeys, Numbers
from analytics.attribution.shapley import shapley

HALF_LIFE_DAYS: Final = 7.0
SEED: Final = 20260101
MODELS: Final = ("first", "last", "linear", "time_decay", "position", "markov", "shapley")

Shared = Callable[[Journeys], tuple[Numbers, Numbers]]
"""Conversions and value of each touchpoint, for journeys with any numbers of people."""


@dataclass(frozen=True, slots=True)
class Credit:
    """What one touchpoint is owed. `low` and `high` bound its conversions at the level that was asked for; None without a bootstrap."""

    touchpoint: str
    conversions: float
    value: float
    share: float
    low: float | None = None
    high: float | None = None


def attribute(
    journeys: Journeys,
    model: str,
    *,
    half_life_days: float = HALF_LIFE_DAYS,
    order: int = 1,
    resamples: int = 0,
    level: float = 0.95,
) -> list[Credit]:
    """The credits by one of MODELS, most first; together they are all conversions and all value.

    `order` is that of the Markov chain (1 to 3). With `resamples` each credit has an interval by the percentiles of a bootstrap. Raises
    ValueError for another model or order.
    """
    if not 1 <= order <= 3:
        raise ValueError(f"The order of a Markov chain is 1 to 3, not {order}.")
    if not len(journeys):
        return []
    shared = _shared(journeys, model, half_life_days, order)
    conversions, values = shared(journeys)
    total = conversions.sum() or 1.0
    bounds = _bounds(journeys, shared, resamples, level) if resamples else None
    given = [
        Credit(
            name,
            float(conversions[at]),
            float(values[at]),
            float(conversions[at] / total),
            *(map(float, bounds[:, at]) if bounds is not None else ()),
        )
        for at, name in enumerate(journeys.names)
    ]
    return sorted(given, key=lambda credit: (-credit.conversions, credit.touchpoint))


def _shared(journeys: Journeys, model: str, half_life_days: float, order: int) -> Shared:
    if model == "markov":
        return partial(_by_removal, Chain.of(journeys, order))
    shares: dict[str, Callable[[Journeys], csr_array]] = {
        "first": by_position.first,
        "last": by_position.last,
        "linear": by_position.linear,
        "time_decay": partial(by_position.time_decay, half_life_days=half_life_days),
        "position": by_position.position,
        "shapley": shapley,
    }
    if model not in shares:
        raise ValueError(f"No attribution model is called “{model}”: {', '.join(MODELS)}.")
    return partial(_by_shares, shares[model](journeys))


def _by_shares(shares: csr_array, journeys: Journeys) -> tuple[Numbers, Numbers]:
    return shares.T @ journeys.conversions, shares.T @ journeys.values


def _by_removal(chain: Chain, journeys: Journeys) -> tuple[Numbers, Numbers]:
    effects = chain.removal_effects(journeys)
    return (
        _in_proportion(journeys.conversions.sum(), effects[0]),
        _in_proportion(journeys.values.sum(), effects[1]),
    )


def _in_proportion(total: float, effects: Numbers) -> Numbers:
    positive = np.clip(effects, 0.0, None)
    return total * positive / (positive.sum() or 1.0)


def _bounds(journeys: Journeys, shared: Shared, resamples: int, level: float) -> Numbers:
    random = np.random.default_rng(SEED)
    drawn = np.array([shared(journeys.resampled(random))[0] for _draw in range(resamples)])
    return np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
