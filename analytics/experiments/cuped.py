"""CUPED: reduce the variance of means by the spend of the same customers before the test.

Source: Deng, Xu, Kohavi and Walker 2013, "Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.experiments.arms import Mean


@dataclass(frozen=True, slots=True)
class Before:
    """Mean and variance of the amounts of one arm before the test, and their covariance with those during the test."""

    mean: float
    variance: float
    covariance: float


def adjusted(arms: Sequence[Mean], before: Sequence[Before]) -> list[Mean]:
    """Return the arms without the part of their amounts that the amounts before explain.

    Differences between arms keep their expectation.
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
