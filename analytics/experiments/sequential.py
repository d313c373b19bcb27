"""Sequential tests: p-values and intervals that hold at every look, whenever the experiment stops.

Rates: conversions are taken one by one. Without a difference each of them belongs to an arm with the probability of the arm's share of
customers; the likelihood ratio of a beta mixture against that is a martingale, so that its inverse is a p-value at every moment, without
any approximation (Lindon and Malek 2022, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS). Means: the mixture of normal
distributions, valid from some hundred customers on (Johari, Pekelis and Walsh 2015, "Always Valid Inference"; Waudby-Smith, Arbour,
Sinha, Kennedy and Ramdas 2021, "Time-uniform central limit theory and asymptotic confidence sequences", arXiv:2103.06476).
"""

from __future__ import annotations

from math import exp, log, sqrt

from scipy.special import betaln

from marketing.statistics import LEVEL, Interval, Measure, Rate

CONCENTRATION = 30.0
"""Concentration of the mixture near "no difference": it is most sensitive after about this many conversions."""

_TIGHTNESS = -2 * log(1 - LEVEL) + log(-2 * log(1 - LEVEL)) + 1
"""The width of the normal mixture, in variances of the difference so far, that gives the narrowest interval now (section 2.3)."""


def p_value(arm: Measure, base: Measure) -> float:
    """Return the always-valid p-value of a difference between two arms; 1 without data."""
    if not arm.customers or not base.customers:
        return 1.0
    if isinstance(arm, Rate) and isinstance(base, Rate):
        return _of_counts(arm, base)
    variance = _variance(arm, base)
    if not variance:
        return 1.0
    mixture = variance * _TIGHTNESS
    gap = arm.value - base.value
    evidence = mixture * gap**2 / (2 * variance * (variance + mixture))
    return min(1.0, sqrt((variance + mixture) / variance) * exp(-min(evidence, 700)))


def difference(arm: Measure, base: Measure, level: float = LEVEL) -> Interval | None:
    """Return the confidence sequence of `arm` − `base`, wider than an interval for one look; None if unbounded."""
    variance = _variance(arm, base)
    if not variance:
        return None
    ratio = 1 + _TIGHTNESS
    margin = sqrt(variance * ratio / _TIGHTNESS * (log(ratio) - 2 * log(1 - level)))
    return arm.value - base.value - margin, arm.value - base.value + margin


def _of_counts(arm: Rate, base: Rate) -> float:
    share = arm.customers / (arm.customers + base.customers)
    ours, theirs = CONCENTRATION * share, CONCENTRATION * (1 - share)
    log_ratio = (
        float(betaln(ours + arm.count, theirs + base.count) - betaln(ours, theirs))
        - arm.count * log(share)
        - base.count * log(1 - share)
    )
    return min(1.0, exp(-max(log_ratio, -1.0)))


def _variance(arm: Measure, base: Measure) -> float:
    """Return the variance of the difference, with one more outcome of each kind, so that the first ones do not look certain."""
    return _smoothed(arm) + _smoothed(base)


def _smoothed(measure: Measure) -> float:
    if not measure.customers:
        return 0.0
    if isinstance(measure, Rate):
        measure = Rate(measure.customers + 2, measure.count + 1)
    return measure.variance / measure.customers
