"""The measure of one arm of an experiment, as the sums that all statistics need, and CUPED, which reduces its variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate: `count` of `customers` converted."""

    customers: int
    count: int

    @property
    def value(self) -> float:
        return self.count / self.customers if self.customers else 0.0

    @property
    def variance(self) -> float:
        """Return the variance of one customer's outcome, 0 or 1."""
        return self.value * (1 - self.value)

    @property
    def standard_error(self) -> float:
        return sqrt(self.variance / self.customers) if self.customers else 0.0


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean amount of `customers`, `count` of them with an amount other than zero; `variance` is that of all amounts."""

    customers: int
    count: int
    value: float
    variance: float

    @property
    def standard_error(self) -> float:
        return sqrt(self.variance / self.customers) if self.customers else 0.0


Measure = Rate | Mean


@dataclass(frozen=True, slots=True)
class Before:
    """Mean and variance of the amounts of one arm before the test, and their covariance with those during the test."""

    mean: float
    variance: float
    covariance: float


def adjusted(arms: Sequence[Mean], before: Sequence[Before]) -> list[Mean]:
    """Return the arms without the part of their amounts that the amounts before explain.

    Differences between arms keep their expectation. Source: Deng, Xu, Kohavi and Walker 2013, "Improving the Sensitivity of Online
    Controlled Experiments by Utilizing Pre-Experiment Data" (CUPED).
    """
    spread = sum(arm.customers * each.variance for arm, each in zip(arms, before, strict=True))
    customers = sum(arm.customers for arm in arms)
    if not spread or not customers:
        return list(arms)
    theta = (
        sum(arm.customers * each.covariance for arm, each in zip(arms, before, strict=True))
        / spread
    )
    overall = (
        sum(arm.customers * each.mean for arm, each in zip(arms, before, strict=True)) / customers
    )
    return [
        Mean(
            arm.customers,
            arm.count,
            arm.value - theta * (each.mean - overall),
            max(arm.variance - 2 * theta * each.covariance + theta**2 * each.variance, 0.0),
        )
        for arm, each in zip(arms, before, strict=True)
    ]
