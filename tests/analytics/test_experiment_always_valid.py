"""The sequential test keeps its error rate under daily peeking; a fixed-horizon test does not."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.experiments import sequential
from marketing import statistics
from marketing.statistics import Mean, Rate

EXPERIMENTS, LOOKS = 2_000, 20


@pytest.mark.parametrize(("rate", "customers"), [(0.2, 4_000), (0.01, 10_000)])
def test_rates_that_are_equal_rarely_give_a_false_alarm(rate: float, customers: int) -> None:
    random = np.random.default_rng(1)
    looks = np.linspace(customers / LOOKS, customers, LOOKS).astype(int)
    parts = np.diff(looks, prepend=0)
    counts = random.binomial(parts, rate, (2, EXPERIMENTS, LOOKS)).cumsum(axis=2)
    alarms = naive = outside = 0
    for one, other in zip(*counts, strict=True):
        pairs = [
            (Rate(int(size), int(a)), Rate(int(size), int(b)))
            for size, a, b in zip(looks, one, other, strict=True)
        ]
        alarms += any(sequential.p_value(*pair) < 0.05 for pair in pairs)
        naive += any(statistics.p_value(*pair) < 0.05 for pair in pairs)
        outside += any(not _holds_zero(sequential.difference(*pair)) for pair in pairs)

    print(  # noqa: T201  # seen with pytest -s
        f"false alarms at a rate of {rate:.0%}: sequential {alarms / EXPERIMENTS:.1%}, "
        f"confidence sequence {outside / EXPERIMENTS:.1%}, naive {naive / EXPERIMENTS:.1%}"
    )
    assert alarms / EXPERIMENTS <= 0.05
    assert outside / EXPERIMENTS <= 0.05
    assert naive / EXPERIMENTS > 0.15


def test_means_that_are_equal_rarely_give_a_false_alarm() -> None:
    random = np.random.default_rng(2)
    alarms = 0
    for _experiment in range(EXPERIMENTS // 4):
        amounts = random.exponential(20, (2, 4_000)) * (random.random((2, 4_000)) < 0.1)
        alarms += any(
            sequential.p_value(*(_mean(arm[:size]) for arm in amounts)) < 0.05
            for size in range(200, 4_001, 200)
        )

    assert alarms / (EXPERIMENTS // 4) <= 0.05


def test_a_real_difference_is_found() -> None:
    assert sequential.p_value(Rate(20_000, 2_400), Rate(20_000, 2_000)) < 0.001
    assert sequential.p_value(Mean(9_000, 900, 3.0, 90.0), Mean(9_000, 900, 2.0, 80.0)) < 0.001


def test_an_empty_variant_has_no_result() -> None:
    assert sequential.p_value(Rate(0, 0), Rate(10, 3)) == 1.0
    assert sequential.difference(Mean(0, 0, 0, 0), Mean(0, 0, 0, 0)) is None


def _holds_zero(bounds: tuple[float, float] | None) -> bool:
    return bounds is None or bounds[0] <= 0 <= bounds[1]


def _mean(amounts: np.ndarray) -> Mean:
    return Mean(
        len(amounts), int((amounts > 0).sum()), float(amounts.mean()), float(amounts.var(ddof=1))
    )
