"""Credit of each touchpoint by a model, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from analytics.attribution import sharing
from analytics.attribution.markov import Chain
from analytics.attribution.paths import Numbers, Paths

HALF_LIFE_DAYS: Final = 7.0
SEED: Final = 20260101
MODELS: Final = ("first", "last", "linear", "time_decay", "position", "markov", "shapley")

Model = Callable[[Paths], tuple[Numbers, Numbers]]
"""Computes conversions and value of each touchpoint, for paths with any numbers of customers."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Conversions and value attributed to a touchpoint; `low` and `high` bound its conversions, and are None without a bootstrap."""

    touchpoint: str
    conversions: float
    value: float
    share: float
    low: float | None = None
    high: float | None = None


def attribute(
    paths: Paths,
    model: str,
    *,
    half_life_days: float = HALF_LIFE_DAYS,
    order: int = 1,
    resamples: int = 0,
    level: float = 0.95,
) -> list[Credit]:
    """Attribute all conversions and all value by one of MODELS; return the credits, highest first.

    `order` is that of the Markov chain, 1 to 3. With `resamples`, each credit has an interval of the given level, by the percentiles of
    a bootstrap. Raises ValueError for an unknown model or order.
    """
    if not 1 <= order <= 3:
        raise ValueError(f"Unknown order of a Markov chain: {order}. Use 1 to 3.")
    if not len(paths):
        return []
    model_of = _model(paths, model, half_life_days, order)
    conversions, values = model_of(paths)
    total = conversions.sum() or 1.0
    bounds = _bounds(paths, model_of, resamples, level) if resamples else None
    found = [
        Credit(
            name,
            float(conversions[at]),
            float(values[at]),
            float(conversions[at] / total),
            *(map(float, bounds[:, at]) if bounds is not None else ()),
        )
        for at, name in enumerate(paths.names)
    ]
    return sorted(found, key=lambda credit: (-credit.conversions, credit.touchpoint))


def _model(paths: Paths, model: str, half_life_days: float, order: int) -> Model:
    if model == "markov":
        return partial(_by_removal, Chain.of(paths, order))
    shares: dict[str, Callable[[Paths], csr_array]] = {
        "first": sharing.first,
        "last": sharing.last,
        "linear": sharing.linear,
        "time_decay": partial(sharing.time_decay, half_life_days=half_life_days),
        "position": sharing.position,
        "shapley": sharing.shapley,
    }
    if model not in shares:
        raise ValueError(f"Unknown attribution model “{model}”. Use one of {', '.join(MODELS)}.")
    return partial(_by_shares, shares[model](paths))


def _by_shares(shares: csr_array, paths: Paths) -> tuple[Numbers, Numbers]:
    return shares.T @ paths.conversions, shares.T @ paths.values


def _by_removal(chain: Chain, paths: Paths) -> tuple[Numbers, Numbers]:
    effects = chain.removal_effects(paths)
    return (
        _in_proportion(paths.conversions.sum(), effects[0]),
        _in_proportion(paths.values.sum(), effects[1]),
    )


def _in_proportion(total: float, effects: Numbers) -> Numbers:
    positive = np.clip(effects, 0.0, None)
    return total * positive / (positive.sum() or 1.0)


def _bounds(paths: Paths, model: Model, resamples: int, level: float) -> Numbers:
    random = np.random.default_rng(SEED)
    drawn = np.array([model(paths.resampled(random))[0] for _draw in range(resamples)])
    return np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
