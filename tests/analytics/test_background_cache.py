"""Slow figures are cached, returned at once, and refreshed by a worker."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from analytics import background_cache
from analytics.background_cache import NestedCache, cached

calls: list[tuple[Any, ...]] = []


@cached(timedelta(minutes=5))
def counted(day: date, factor: int = 1) -> int:
    calls.append((day, factor))
    return len(calls) * factor


@cached(timedelta(seconds=-1))
def always_stale(day: date) -> int:
    calls.append((day,))
    return len(calls)


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


def test_equal_arguments_are_computed_once() -> None:
    day = date(2026, 1, 1)

    assert counted(day, 2) == counted(day, factor=2) == counted(day=day, factor=2) == 2
    assert counted(day, 3) == 6
    assert len(calls) == 2


def test_a_stale_result_is_returned_and_refreshed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(background_cache, "nudge", lambda *nudged: sent.append(nudged))
    day = date(2026, 1, 1)

    assert [always_stale(day) for _call in range(3)] == [1, 1, 1]

    ((task, *args),) = sent
    assert task == "analytics.tasks.refresh_cached"
    background_cache.refresh(*args)
    assert always_stale(day) == 2


def test_an_unknown_function_is_ignored() -> None:
    background_cache.refresh("analytics.unknown", [])


def test_a_cached_function_may_not_call_another() -> None:
    @cached(timedelta(minutes=5))
    def nested(day: date) -> int:
        return counted(day)

    with pytest.raises(NestedCache, match=r"nested calls .*counted"):
        nested(date(2026, 1, 1))
    assert counted(date(2026, 1, 1)) == 1
