"""Means with less noise, by what is known of the same people from before the test.

Source: Deng, Xu, Kohavi and Walker 2013, "Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.experiments.arms import Mean


@dataclass(frozen=True, slots=True)
class Before:
    """Of the people of one arm: mean and variance of the amount before the test, and its covariance with the amount in the test."""

    mean: float
    variance: float
    covariance: float


def adjusted(arms: Sequence[Mean], before: Sequence[Before]) -> list[Mean]:
    """The arms with the part of their amounts taken out that the amounts before explain; differences keep their expectation."""
    spread = sum(arm.customers * each.variance for arm, each in zip(arms, before, strict=True))
    everybody = sum(arm.customers for arm in arms)
    if not spread or not everybody:
        return list(arms)
    theta = (
        sum(arm.customers * each.covariance for arm, each in zip(arms, before, strict=True))
        / spread
    )
    overall = (
        sum(arm.customers * each.mean for arm, each in zip(arms, before, strict=True)) / everybody
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
