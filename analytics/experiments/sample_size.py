"""Before a test starts: how many customers it needs, and what it could see. While it runs: whether its arms have the sizes they should."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

import scipy

ALPHA = 0.05
POWER = 0.8
MISMATCH = 0.001
"""Below this p-value the sizes of arms are not what was asked for (Fabijan et al. 2019, "Diagnosing Sample Ratio Mismatch")."""


def customers_needed(
    rate: float, lift: float, *, arms: int = 2, alpha: float = ALPHA, power: float = POWER
) -> int:
    """Customers an arm to see a relative `lift` of a `rate`, with each other arm compared with the first (Bonferroni).

    Source: Fleiss, Levin and Paik 2003, "Statistical Methods for Rates and Proportions", 4.14. Raises ValueError where the rate with its
    lift is none.
    """
    other = rate * (1 + lift)
    if not 0 < rate < 1 or not 0 < other < 1 or not lift:
        raise ValueError("A rate and the rate with its lift lie between 0 and 1, and differ.")
    mean = (rate + other) / 2
    spread = _critical(alpha, arms) * sqrt(2 * mean * (1 - mean))
    spread += float(scipy.stats.norm.ppf(power)) * sqrt(rate * (1 - rate) + other * (1 - other))
    return ceil((spread / (other - rate)) ** 2)


def power_of(
    customers: int, rate: float, lift: float, *, arms: int = 2, alpha: float = ALPHA
) -> float:
    """The chance to see a relative `lift` of a `rate` with so many customers an arm."""
    other = rate * (1 + lift)
    if not 0 < rate < 1 or not 0 < other < 1 or customers < 1:
        return 0.0
    mean = (rate + other) / 2
    under_null = _critical(alpha, arms) * sqrt(2 * mean * (1 - mean) / customers)
    spread = sqrt((rate * (1 - rate) + other * (1 - other)) / customers)
    return float(scipy.stats.norm.cdf((abs(other - rate) - under_null) / spread))


def least_lift(
    customers: int, rate: float, *, arms: int = 2, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """The smallest relative lift that so many customers an arm show with this power; None where even doubling would not be seen."""
    if not 0 < rate < 1 or power_of(customers, rate, _most(rate), arms=arms, alpha=alpha) < power:
        return None
    low, high = 0.0, _most(rate)
    for _halving in range(50):
        middle = (low + high) / 2
        if power_of(customers, rate, middle, arms=arms, alpha=alpha) < power:
            low = middle
        else:
            high = middle
    return high


def customers_needed_for_means(
    mean: float,
    deviation: float,
    lift: float,
    *,
    arms: int = 2,
    alpha: float = ALPHA,
    power: float = POWER,
) -> int:
    """Customers an arm to see a relative `lift` of a `mean` amount a person, whose standard deviation is the same in each arm.

    Source: Chow, Shao, Wang and Lokhnygina 2017, "Sample Size Calculations in Clinical Research", 3.2.1, with the normal distribution.
    Raises ValueError where there is no difference to see.
    """
    if mean <= 0 or deviation <= 0 or not lift:
        raise ValueError("A mean, its deviation and the lift are more than nothing.")
    reach = _critical(alpha, arms) + float(scipy.stats.norm.ppf(power))
    return ceil(2 * (reach * deviation / (mean * lift)) ** 2)


def power_for_means(
    customers: int,
    mean: float,
    deviation: float,
    lift: float,
    *,
    arms: int = 2,
    alpha: float = ALPHA,
) -> float:
    """The chance to see a relative `lift` of a `mean` with so many customers an arm."""
    if mean <= 0 or deviation <= 0 or customers < 1:
        return 0.0
    error = deviation * sqrt(2 / customers)
    return float(scipy.stats.norm.cdf(abs(mean * lift) / error - _critical(alpha, arms)))


def least_lift_for_means(
    customers: int,
    mean: float,
    deviation: float,
    *,
    arms: int = 2,
    alpha: float = ALPHA,
    power: float = POWER,
) -> float | None:
    """The smallest relative lift of a `mean` that so many customers an arm show with this power."""
    if mean <= 0 or deviation <= 0 or customers < 1:
        return None
    reach = _critical(alpha, arms) + float(scipy.stats.norm.ppf(power))
    return reach * deviation * sqrt(2 / customers) / mean


def sample_ratio_p(customers: Sequence[int], shares: Sequence[float]) -> float | None:
    """How often chance alone would give sizes this far from the shares that were asked for: Pearson's chi-squared. None for one arm."""
    if len(customers) < 2 or not sum(customers):
        return None
    whole = sum(customers) / sum(shares)
    return float(scipy.stats.chisquare(customers, [share * whole for share in shares]).pvalue)


def _critical(alpha: float, arms: int) -> float:
    return float(scipy.stats.norm.ppf(1 - alpha / 2 / max(arms - 1, 1)))


def _most(rate: float) -> float:
    """The largest lift looked for: a doubling, or all of what there is."""
    return min(1.0, 0.999_999 / rate - 1)
