"""The result of an experiment: every arm beside the one that it is compared with, and what to make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from analytics.experiments import bayes, intervals, sample_size, sequential
from analytics.experiments.arms import Measure
from analytics.experiments.bayes import Belief
from analytics.experiments.intervals import Interval

HOLDOUT = "holdout"
SURE = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm against the base: `lift` is relative, None where the base is nothing; `difference` is in units of the metric.

    `p_value` is for an experiment that is over, `always_valid_p` for one that is still looked at; both are corrected for the number of
    comparisons with the base. `interval`, of the difference, is of the kind that holds at this moment.
    """

    lift: float | None
    difference: float
    interval: Interval | None
    p_value: float
    always_valid_p: float


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm; the base is compared with nothing."""

    name: str
    measure: Measure
    interval: Interval
    belief: Belief
    comparison: Comparison | None = None

    @property
    def is_holdout(self) -> bool:
        return self.name == HOLDOUT


@dataclass(frozen=True, slots=True)
class Report:
    """`base` names the arm that the others are compared with: the holdout where there is one, else the first; "" for a single arm.

    `sample_ratio_p` is small where the arms have other sizes than they should; `declared` says whether anybody said what they should.
    `duels` are p-values between arms that are not the base, by their two names.
    """

    metric: str
    arms: list[Arm]
    base: str
    is_over: bool
    sample_ratio_p: float | None
    declared: bool
    duels: Mapping[frozenset[str], float] = field(default_factory=dict)

    @property
    def has_mismatch(self) -> bool:
        return self.sample_ratio_p is not None and self.sample_ratio_p < sample_size.MISMATCH

    @property
    def contenders(self) -> list[Arm]:
        """Those that could be chosen: all but the holdout, the best first."""
        real = [arm for arm in self.arms if not arm.is_holdout]
        return sorted(real, key=lambda arm: -arm.measure.value)

    def is_sure(self, one: Arm, other: Arm) -> bool:
        """Whether these two differ by more than chance."""
        return self.p_between(one, other) < SURE

    def p_between(self, one: Arm, other: Arm) -> float:
        """The corrected p-value of the difference of two arms, of the kind that holds at this moment."""
        for arm, against in ((one, other), (other, one)):
            if against.name == self.base and arm.comparison:
                found = arm.comparison
                return found.p_value if self.is_over else found.always_valid_p
        return self.duels.get(frozenset((one.name, other.name)), 1.0)


def report(
    metric: str,
    measures: Mapping[str, Measure],
    *,
    shares: Mapping[str, float] | None = None,
    is_over: bool = True,
) -> Report:
    """The report on arms by name; one called "holdout" is the base, else the first is.

    `shares` are the parts of the audience that the arms were to get (in any unit). Without them equal parts are taken to be meant; an
    empty one says that sizes mean nothing here.
    """
    base = HOLDOUT if HOLDOUT in measures else next(iter(measures), "")
    others = [name for name in measures if name != base]
    fixed = intervals.holm([intervals.p_value(measures[name], measures[base]) for name in others])
    always = _bonferroni(
        [sequential.p_value(measures[name], measures[base]) for name in others], len(others)
    )
    beliefs = dict(zip(measures, bayes.beliefs(list(measures.values())), strict=True))
    compared = {
        name: _compared(measures[name], measures[base], fixed[at], always[at], is_over=is_over)
        for at, name in enumerate(others)
    }
    arms = [
        Arm(name, each, intervals.interval(each), beliefs[name], compared.get(name))
        for name, each in measures.items()
    ]
    meant = dict.fromkeys(measures, 1.0) if shares is None else shares
    sizes = [measure.customers for measure in measures.values()]
    return Report(
        metric,
        arms,
        base if others else "",
        is_over,
        sample_size.sample_ratio_p(sizes, [meant[name] for name in measures]) if meant else None,
        shares is not None,
        _duels({name: measures[name] for name in others}, is_over=is_over),
    )


def _compared(
    arm: Measure, base: Measure, fixed: float, always: float, *, is_over: bool
) -> Comparison:
    gap = arm.value - base.value
    between = intervals.difference if is_over else sequential.difference
    return Comparison(
        gap / base.value if base.value else None, gap, between(arm, base), fixed, always
    )


def _duels(measures: Mapping[str, Measure], *, is_over: bool) -> dict[frozenset[str], float]:
    pairs = list(combinations(measures, 2))
    test = intervals.p_value if is_over else sequential.p_value
    found = [test(measures[one], measures[other]) for one, other in pairs]
    corrected = intervals.holm(found) if is_over else _bonferroni(found, len(found))
    return {frozenset(pair): p for pair, p in zip(pairs, corrected, strict=True)}


def _bonferroni(p_values: Sequence[float], number: int) -> list[float]:
    """Always-valid p-values stay valid when each is multiplied by how many there are, whatever their order over time."""
    return [min(1.0, p * number) for p in p_values]
