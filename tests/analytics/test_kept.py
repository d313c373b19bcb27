"""Figures that take long are kept, given at once, and renewed by a worker."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from analytics import background_cache
from analytics.background_cache import keep

calls: list[tuple[Any, ...]] = []


@keep(timedelta(minutes=5))
def counted(day: date, factor: int = 1) -> int:
    calls.append((day, factor))
    return len(calls) * factor


@keep(timedelta(seconds=-1))
def always_old(day: date) -> int:
    calls.append((day,))
    return len(calls)


@pytest.fixture(autouse=True)
def _none_yet() -> None:
    calls.clear()


def test_the_same_question_is_worked_out_once_however_it_is_put() -> None:
    day = date(2026, 1, 1)

    assert counted(day, 2) == counted(day, factor=2) == counted(day=day, factor=2) == 2
    assert counted(day, 3) == 6
    assert len(calls) == 2


def test_what_is_old_is_given_all_the_same_and_a_worker_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(background_cache, "nudge", lambda *sent: asked.append(sent))
    day = date(2026, 1, 1)

    assert [always_old(day) for _look in range(3)] == [1, 1, 1]

    ((task, *args),) = asked
    assert task == "analytics.tasks.renew_kept"
    background_cache.renew(*args)
    assert always_old(day) == 2


def test_a_function_that_is_gone_is_passed_over() -> None:
    background_cache.renew("analytics.of_yore", [])
