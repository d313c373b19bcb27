"""The verdict of an experiment states its result in words."""

from __future__ import annotations

import pytest

from analytics.experiments import verdict
from analytics.experiments.report import report
from marketing.statistics import Mean, Measure, Rate


@pytest.mark.parametrize(
    ("arms", "says"),
    [
        (
            {"A": Rate(20_000, 3_600), "B": Rate(20_000, 3_000), "holdout": Rate(20_000, 2_100)},
            ["Better than the holdout", "“A” (18.0% against 10.5%, +71%, p < 0.001)", "“A” is the best"],
        ),
        (
            {"A": Rate(20_000, 3_600), "B": Rate(20_000, 3_590), "holdout": Rate(20_000, 2_100)},
            ["Better than the holdout", "No significant difference between the variants"],
        ),
        (
            {"A": Rate(1_000, 50), "holdout": Rate(1_000, 52)},
            ["No significant difference to the holdout"],
        ),
        (
            {"A": Rate(9_000, 300), "holdout": Rate(9_000, 600)},
            ["Worse than the holdout: “A”"],
        ),
        ({"A": Rate(9_000, 900), "B": Rate(9_000, 600)}, ["“A” is the best: 10.0%, against 6.67% (“B”)"]),
        (
            {"A": Rate(9_000, 900), "B": Rate(9_000, 890), "C": Rate(9_000, 600)},
            ["“A” is better than “C”; its lead over the others may be chance"],
        ),
        ({"A": Rate(9_000, 0), "B": Rate(9_000, 0)}, ["No conversions yet"]),
        ({"A": Rate(9_000, 5)}, ["Nothing to compare yet"]),
        ({}, ["Nothing to compare yet"]),
        (
            {"A": Mean(9_000, 90, 1.5, 100.0), "holdout": Mean(9_000, 60, 0.5, 60.0)},
            ["“A” ($1.50 against $0.50, +200%"],
        ),
    ],
)  # fmt: skip
def test_the_verdict_names_the_better_variant(arms: dict[str, Measure], says: list[str]) -> None:
    said = verdict(report("conversion", arms))

    for part in says:
        assert part in said


def test_a_running_experiment_uses_the_sequential_test() -> None:
    arms: dict[str, Measure] = {"A": Rate(5_000, 300), "B": Rate(5_000, 250)}

    assert "“A” is the best" in verdict(report("click", arms, is_over=True))
    assert "No significant difference between the variants (so far)" in verdict(
        report("click", arms, is_over=False)
    )


def test_a_sample_ratio_mismatch_invalidates_the_verdict() -> None:
    arms: dict[str, Measure] = {"A": Rate(10_000, 900), "B": Rate(9_000, 600)}

    said = verdict(report("click", arms, shares={"A": 0.5, "B": 0.5}))

    assert said.startswith("Sample ratio mismatch")


def test_a_mismatch_of_undeclared_shares_is_only_a_remark() -> None:
    arms: dict[str, Measure] = {"A": Rate(10_000, 900), "holdout": Rate(1_000, 40)}

    said = verdict(report("click", arms))

    assert said.startswith("Better than the holdout")
    assert said.endswith("The variants differ in size. Check that they were meant to.")
