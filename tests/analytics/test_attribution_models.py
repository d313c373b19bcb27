"""The seven attribution models match slow implementations of their definitions."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.attribution import MODELS, Paths, attribute
from analytics.attribution.paths import Path

NAMES = ("mail", "sms", "push", "social")
paths_of_customers = st.lists(
    st.builds(
        Path,
        steps=st.lists(st.sampled_from(NAMES), min_size=1, max_size=6),
        conversions=st.integers(0, 30),
        value=st.integers(0, 500),
        nulls=st.integers(0, 30),
    ),
    min_size=1,
    max_size=8,
)
EXAMPLE = [
    Path(["mail", "sms", "push"], 3, 300, 10),
    Path(["sms"], 2, 50, 4),
    Path(["push", "sms"], 0, 0, 20),
    Path(["mail", "mail"], 1, 25, 7),
]


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=40)
@given(people=paths_of_customers)
def test_credits_of_a_model_sum_to_all_conversions_and_value(
    model: str, people: list[Path]
) -> None:
    found = attribute(Paths.of(people), model)

    conversions = sum(path.conversions for path in people)
    assert sum(credit.conversions for credit in found) == pytest.approx(conversions)
    if conversions and all(path.conversions for path in people):
        value = sum(path.value for path in people)
        assert sum(credit.value for credit in found) == pytest.approx(value)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first", {"mail": 4, "sms": 2, "push": 0}),
        ("last", {"mail": 1, "sms": 2, "push": 3}),
        ("linear", {"mail": 2, "sms": 3, "push": 1}),
        ("position", {"mail": 2.2, "sms": 2.6, "push": 1.2}),
    ],
)
def test_position_models_weight_steps_as_their_names_say(
    model: str, expected: dict[str, float]
) -> None:
    assert _conversions(EXAMPLE, model) == pytest.approx(expected)


def test_time_decay_halves_a_step_per_half_life_of_age() -> None:
    path = Path(["mail", "sms"], 1, 10, 0, ages=[14.0, 7.0])

    assert _conversions([path], "time_decay", half_life_days=7) == pytest.approx(
        {"mail": 1 / 3, "sms": 2 / 3}
    )


def test_steps_without_ages_are_a_day_apart() -> None:
    undated = Path(["mail", "sms", "mail"], 5)
    dated = Path(["mail", "sms", "mail"], 5, ages=[2, 1, 0])

    assert _conversions([undated], "time_decay") == _conversions([dated], "time_decay")


@settings(max_examples=60)
@given(people=paths_of_customers)
def test_shapley_is_the_mean_marginal_value_over_all_sets(people: list[Path]) -> None:
    assert _conversions(people, "shapley") == pytest.approx(_shapley_by_sets(people))


@pytest.mark.parametrize("order", [1, 2, 3])
@settings(max_examples=40)
@given(people=paths_of_customers)
def test_markov_is_the_loss_from_removing_a_touchpoint(order: int, people: list[Path]) -> None:
    if not any(path.conversions for path in people):
        return

    assert _conversions(people, "markov", order=order) == pytest.approx(
        _markov_by_walking(people, order), abs=1e-4
    )


def test_intervals_contain_the_credit_and_are_reproducible() -> None:
    paths = Paths.of(EXAMPLE)

    found = attribute(paths, "markov", resamples=200)

    assert all(credit.low <= credit.conversions <= credit.high for credit in found)
    assert found == attribute(paths, "markov", resamples=200)


def test_an_unknown_model_is_refused_listing_the_known() -> None:
    with pytest.raises(ValueError, match="time_decay"):
        attribute(Paths.of(EXAMPLE), "magic")


def test_no_paths_give_no_credit() -> None:
    assert attribute(Paths.of([]), "markov") == []


def _conversions(people: list[Path], model: str, **options: float) -> dict[str, float]:
    found = attribute(Paths.of(people), model, **options)
    return {credit.touchpoint: credit.conversions for credit in found}


def _shapley_by_sets(people: list[Path]) -> dict[str, float]:
    names = sorted({step for path in people for step in path.steps})

    def worth(allowed: set[str]) -> float:
        return sum(each.conversions for each in people if set(each.steps) <= allowed)

    def value(name: str) -> float:
        others = [each for each in names if each != name]
        total = 0.0
        for size in range(len(names)):
            weight = factorial(size) * factorial(len(names) - size - 1) / factorial(len(names))
            for chosen in combinations(others, size):
                total += weight * (worth({*chosen, name}) - worth(set(chosen)))
        return total

    return {name: value(name) for name in names}


def _markov_by_walking(people: list[Path], order: int) -> dict[str, float]:
    """Multiply the state by the transition matrix until nearly every path has ended."""
    moves: dict[tuple[str, ...], dict[object, float]] = {}
    for path in people:
        before: tuple[str, ...] = ()
        for step in path.steps:
            state = (*before, step)[-order:]
            ways = moves.setdefault(before, {})
            ways[state] = ways.get(state, 0) + path.conversions + path.nulls
            before = state
        ways = moves.setdefault(before, {})
        ways["bought"] = ways.get("bought", 0) + path.conversions
        ways["left"] = ways.get("left", 0) + path.nulls

    def bought(without: str | None) -> float:
        crowd: dict[object, float] = {(): 1.0}
        total = 0.0
        for _step in range(3_000):
            onward: dict[object, float] = {}
            for state, share in crowd.items():
                everyone = sum(moves[state].values())
                for way, number in moves[state].items():
                    if everyone:
                        onward[way] = onward.get(way, 0) + share * number / everyone
            total += onward.pop("bought", 0)
            onward.pop("left", None)
            crowd = {
                way: each for way, each in onward.items() if without not in way and each > 1e-12
            }
        return total

    everything = bought(None)
    names = sorted({step for path in people for step in path.steps})
    effects = {name: 1 - bought(name) / everything for name in names}
    conversions = sum(path.conversions for path in people)
    return {name: conversions * each / sum(effects.values()) for name, each in effects.items()}
