"""The report on an experiment: every arm, compared with the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from analytics.experiments import bayes, sample_size, sequential
from analytics.experiments.bayes import Posterior
from marketing import statistics
from marketing.statistics import Interval, Measure

HOLDOUT = "holdout"
SIGNIFICANT_BELOW = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm against the base: `lift` is relative, None if the base is zero; `difference` is in units of the metric.

    `p_value` holds for a finished experiment, `always_valid_p` for a running one; both are corrected for the number of comparisons.
    `interval` is that of the difference, for a finished or for a running experiment.
    """

    lift: float | None
    difference: float
    interval: Interval | None
    p_value: float
    always_valid_p: float


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm; the base has no comparison."""

    name: str
    measure: Measure
    interval: Interval
    posterior: Posterior
    comparison: Comparison | None = None

    @property
    def is_holdout(self) -> bool:
        return self.name == HOLDOUT


@dataclass(frozen=True, slots=True)
class Report:
    """`base` names the arm that the others are compared with: the holdout, else the first; "" for a single arm.

    `sample_ratio_p` is small for a sample ratio mismatch; `declared` says whether the intended shares are known. `pairwise_p` holds the
    p-values between arms other than the base, by their two names.
    """

    metric: str
    arms: list[Arm]
    base: str
    is_over: bool
    sample_ratio_p: float | None
    declared: bool
    pairwise_p: Mapping[frozenset[str], float] = field(default_factory=dict)

    @property
    def has_mismatch(self) -> bool:
        return self.sample_ratio_p is not None and self.sample_ratio_p < sample_size.MISMATCH_BELOW

    @property
    def contenders(self) -> list[Arm]:
        """Return the arms other than the holdout, highest value first."""
        real = [arm for arm in self.arms if not arm.is_holdout]
        return sorted(real, key=lambda arm: -arm.measure.value)

    def is_significant(self, one: Arm, other: Arm) -> bool:
        """Return whether two arms differ by more than chance."""
        return self.p_between(one, other) < SIGNIFICANT_BELOW

    def p_between(self, one: Arm, other: Arm) -> float:
        """Return the corrected p-value of the difference of two arms, for a finished or for a running experiment."""
        for arm, against in ((one, other), (other, one)):
            if against.name == self.base and arm.comparison:
                found = arm.comparison
                return found.p_value if self.is_over else found.always_valid_p
        return self.pairwise_p.get(frozenset((one.name, other.name)), 1.0)


def report(
    metric: str,
    measures: Mapping[str, Measure],
    *,
    shares: Mapping[str, float] | None = None,
    is_over: bool = True,
) -> Report:
    """Report on arms by name; the base is the arm "holdout", else the first.

    `shares` are the intended parts of the audience, in any unit: None for equal parts, empty if sizes are not to be checked.
    """
    base = HOLDOUT if HOLDOUT in measures else next(iter(measures), "")
    others = [name for name in measures if name != base]
    fixed = statistics.holm([statistics.p_value(measures[name], measures[base]) for name in others])
    always = _bonferroni(
        [sequential.p_value(measures[name], measures[base]) for name in others], len(others)
    )
    posteriors = dict(zip(measures, bayes.posteriors(list(measures.values())), strict=True))
    compared = {
        name: _compared(measures[name], measures[base], fixed[at], always[at], is_over=is_over)
        for at, name in enumerate(others)
    }
    arms = [
        Arm(name, each, statistics.interval(each), posteriors[name], compared.get(name))
        for name, each in measures.items()
    ]
    intended = dict.fromkeys(measures, 1.0) if shares is None else shares
    sizes = [measure.customers for measure in measures.values()]
    return Report(
        metric,
        arms,
        base if others else "",
        is_over,
        sample_size.sample_ratio_p(sizes, [intended[name] for name in measures])
        if intended
        else None,
        shares is not None,
        _pairwise_p({name: measures[name] for name in others}, is_over=is_over),
    )


def _compared(
    arm: Measure, base: Measure, fixed: float, always: float, *, is_over: bool
) -> Comparison:
    gap = arm.value - base.value
    between = statistics.difference if is_over else sequential.difference
    return Comparison(
        gap / base.value if base.value else None, gap, between(arm, base), fixed, always
    )


def _pairwise_p(measures: Mapping[str, Measure], *, is_over: bool) -> dict[frozenset[str], float]:
    pairs = list(combinations(measures, 2))
    test = statistics.p_value if is_over else sequential.p_value
    found = [test(measures[one], measures[other]) for one, other in pairs]
    corrected = statistics.holm(found) if is_over else _bonferroni(found, len(found))
    return {frozenset(pair): p for pair, p in zip(pairs, corrected, strict=True)}


def _bonferroni(p_values: Sequence[float], number: int) -> list[float]:
    """Multiply always-valid p-values by their number; unlike Holm's correction, it holds at every look."""
    return [min(1.0, p * number) for p in p_values]
