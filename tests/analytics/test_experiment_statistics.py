"""Intervals, tests and sample sizes match published examples and other implementations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.experiments import SampleSizePlan, bayes, sample_size
from marketing import statistics
from marketing.statistics import Before, Mean, Rate, adjusted

RANDOM = np.random.default_rng(7)


def test_the_interval_of_a_rate_is_wilsons() -> None:
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I: 81 of 263."""
    assert statistics.interval(Rate(263, 81)) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_the_interval_of_a_difference_of_rates_is_newcombes() -> None:
    """Newcombe 1998, "Interval estimation for the difference between independent proportions", table II, case (a): 56/70 and 48/80."""
    found = statistics.difference(Rate(70, 56), Rate(80, 48))

    assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_p_value_of_two_rates_is_pearsons_chi_squared() -> None:
    table = [[120, 880], [90, 910]]

    assert statistics.p_value(Rate(1000, 120), Rate(1000, 90)) == pytest.approx(
        stats.chi2_contingency(table, correction=False).pvalue
    )


def test_means_are_compared_by_welchs_test() -> None:
    one, other = RANDOM.gamma(2, 10, 300), RANDOM.gamma(2, 13, 200)
    expected = stats.ttest_ind(one, other, equal_var=False)

    assert statistics.p_value(_mean(one), _mean(other)) == pytest.approx(expected.pvalue)
    low, high = expected.confidence_interval()
    assert statistics.difference(_mean(one), _mean(other)) == pytest.approx((low, high))


def test_several_p_values_get_holms_correction() -> None:
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([]) == []


def test_two_equal_variants_are_each_best_with_half_probability() -> None:
    beliefs = bayes.posteriors([Rate(1000, 100), Rate(1000, 100)])

    assert [belief.best for belief in beliefs] == pytest.approx([0.5, 0.5], abs=0.01)


def test_the_expected_loss_is_the_cost_of_the_worse_variant() -> None:
    better, worse = bayes.posteriors([Rate(100_000, 12_000), Rate(100_000, 10_000)])

    assert better.best > 0.999
    assert worse.expected_loss == pytest.approx(0.02, abs=0.0005)
    assert better.expected_loss < 1e-6


@pytest.mark.parametrize(
    ("rate", "lift", "needed"),
    [(0.10, 0.10, 14_751), (0.02, 0.20, 21_109), (0.5, -0.1, 1_565)],
)
def test_the_sample_size_matches_published_values(rate: float, lift: float, needed: int) -> None:
    """Compare with statsmodels and Fleiss' formula without continuity correction."""
    assert SampleSizePlan(rate, lift).per_arm == pytest.approx(needed, rel=0.002)


def test_the_sample_size_has_the_requested_power() -> None:
    plan = SampleSizePlan(0.1, 0.1, arms=3, power=0.9)
    assert plan.per_arm is not None

    assert plan.power_with(plan.per_arm) == pytest.approx(0.9, abs=0.001)
    assert plan.smallest_lift_with(plan.per_arm) == pytest.approx(0.1, rel=0.001)


def test_too_few_customers_detect_no_lift() -> None:
    assert SampleSizePlan(0.01).smallest_lift_with(20) is None


def test_a_sample_ratio_mismatch_is_detected() -> None:
    right = sample_size.sample_ratio_p([5_000, 5_050], [1, 1])
    wrong = sample_size.sample_ratio_p([5_000, 5_500], [1, 1])

    assert right is not None
    assert right > 0.5
    assert wrong is not None
    assert wrong < sample_size.MISMATCH_BELOW


def test_cuped_removes_noise_and_preserves_the_difference() -> None:
    before = RANDOM.gamma(2, 20, (2, 20_000))
    after = before * 0.8 + RANDOM.normal(0, 10, (2, 20_000)) + np.array([[0.0], [1.0]])
    plain = [_mean(each) for each in after]
    known = [
        Before(float(x.mean()), float(x.var(ddof=1)), float(np.cov(x, y)[0, 1]))
        for x, y in zip(before, after, strict=True)
    ]

    one, other = adjusted(plain, known)

    assert other.value - one.value == pytest.approx(1.0, abs=0.25)
    assert one.variance < plain[0].variance / 4


def test_cuped_changes_nothing_without_earlier_spend() -> None:
    arms = [Mean(10, 2, 3.0, 4.0), Mean(10, 3, 4.0, 5.0)]

    assert adjusted(arms, [Before(0, 0, 0)] * 2) == arms


def _mean(amounts: np.ndarray) -> Mean:
    return Mean(
        len(amounts), int((amounts != 0).sum()), float(amounts.mean()), float(amounts.var(ddof=1))
    )
