"""What a campaign brought that would not have come without it: the people who got it beside those who were held back."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.experiments import intervals
from analytics.experiments.arms import Mean
from analytics.experiments.campaign_experiment import experiment
from analytics.experiments.report import HOLDOUT
from marketing.models import Campaign


@dataclass(frozen=True, slots=True)
class Increment:
    """Revenue a person of both sides, their difference with its 95 % interval, and that of all who got the campaign."""

    reached: int
    held_back: int
    each_reached: float
    each_held_back: float
    each: float
    each_interval: tuple[float, float]

    @property
    def revenue(self) -> float:
        return self.each * self.reached

    @property
    def revenue_interval(self) -> tuple[float, float]:
        low, high = self.each_interval
        return low * self.reached, high * self.reached


def increment(campaign: Campaign) -> Increment | None:
    """None where nobody was held back, or nobody reached."""
    measures = {
        arm.name: arm.measure
        for arm in experiment(campaign, "revenue").report.arms
        if isinstance(arm.measure, Mean)
    }
    held_back = measures.pop(HOLDOUT, None)
    if held_back is None or not held_back.customers or not measures:
        return None
    reached = _together(list(measures.values()))
    return Increment(
        reached.customers,
        held_back.customers,
        reached.value,
        held_back.value,
        reached.value - held_back.value,
        intervals.difference(reached, held_back),
    )


def _together(means: list[Mean]) -> Mean:
    """One arm of several: the variance is that within them and between their means."""
    people = sum(mean.customers for mean in means)
    value = sum(mean.customers * mean.value for mean in means) / people
    squares = sum(
        (mean.customers - 1) * mean.variance + mean.customers * (mean.value - value) ** 2
        for mean in means
    )
    return Mean(people, sum(mean.count for mean in means), value, squares / max(people - 1, 1))
