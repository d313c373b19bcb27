"""Intervals of one arm and p-values of two, for an experiment that is evaluated once."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import scipy

from marketing.statistics.arms import Mean, Measure, Rate

LEVEL = 0.95

Interval = tuple[float, float]


def interval(measure: Measure, level: float = LEVEL) -> Interval:
    """Return the confidence interval of a measure: Wilson's score for rates, Student's t for means."""
    if not measure.customers:
        return (0.0, 1.0) if isinstance(measure, Rate) else (0.0, 0.0)
    if isinstance(measure, Rate):
        return _wilson(measure, level)
    return _student(measure, level)


def difference(arm: Measure, base: Measure, level: float = LEVEL) -> Interval:
    """Return the interval of `arm` − `base`: Newcombe's hybrid score for rates (1998, method 10), Welch for means."""
    if isinstance(arm, Rate) and isinstance(base, Rate):
        gap = arm.value - base.value
        low, high = interval(arm, level)
        base_low, base_high = interval(base, level)
        return (
            gap - sqrt((arm.value - low) ** 2 + (base_high - base.value) ** 2),
            gap + sqrt((high - arm.value) ** 2 + (base.value - base_low) ** 2),
        )
    margin = _welch_margin(arm, base, level)
    return arm.value - base.value - margin, arm.value - base.value + margin


def p_value(arm: Measure, base: Measure) -> float:
    """Return the two-sided p-value: Pearson's chi-squared for rates, Welch's t for means; 1 without data."""
    if not arm.customers or not base.customers:
        return 1.0
    if isinstance(arm, Rate) and isinstance(base, Rate):
        return _pooled_z(arm, base)
    if min(arm.customers, base.customers) < 2 or not arm.variance + base.variance:
        return 1.0
    test = scipy.stats.ttest_ind_from_stats(
        arm.value, sqrt(arm.variance), arm.customers,
        base.value, sqrt(base.variance), base.customers,
        equal_var=False,
    )  # fmt: skip
    return float(test.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct several p-values for multiple comparisons, in their order (Holm 1979)."""
    number = len(p_values)
    corrected = [1.0] * number
    largest = 0.0
    for rank, at in enumerate(sorted(range(number), key=lambda each: p_values[each])):
        largest = max(largest, min(1.0, (number - rank) * p_values[at]))
        corrected[at] = largest
    return corrected


def _wilson(rate: Rate, level: float) -> Interval:
    found = scipy.stats.binomtest(rate.count, rate.customers).proportion_ci(level, method="wilson")
    return float(found.low), float(found.high)


def _student(mean: Mean, level: float) -> Interval:
    if mean.customers < 2:
        return mean.value, mean.value
    margin = float(scipy.stats.t.ppf((1 + level) / 2, mean.customers - 1)) * mean.standard_error
    return mean.value - margin, mean.value + margin


def _pooled_z(arm: Rate, base: Rate) -> float:
    pooled = (arm.count + base.count) / (arm.customers + base.customers)
    error = sqrt(pooled * (1 - pooled) * (1 / arm.customers + 1 / base.customers))
    return float(2 * scipy.stats.norm.sf(abs(arm.value - base.value) / error)) if error else 1.0


def _welch_margin(arm: Measure, base: Measure, level: float) -> float:
    if min(arm.customers, base.customers) < 2:
        return 0.0
    own, other = arm.variance / arm.customers, base.variance / base.customers
    if not own + other:
        return 0.0
    freedom = (own + other) ** 2 / (own**2 / (arm.customers - 1) + other**2 / (base.customers - 1))
    return float(scipy.stats.t.ppf((1 + level) / 2, freedom)) * sqrt(own + other)
