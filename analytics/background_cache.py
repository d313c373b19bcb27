"""Cache slow figures: a page shows the cached ones at once, and a worker refreshes them in the background."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic, ParamSpec, TypeVar, cast

from django.core.cache import cache
from django.utils import timezone

from crm.nudge import nudge

P = ParamSpec("P")
T = TypeVar("T")

EXPIRES_AFTER = timedelta(days=2)
REFRESH_EXPECTED_WITHIN = timedelta(minutes=5)
"""No second refresh of the same figures is requested before."""
QUICK = timedelta(seconds=1)
"""Figures that were computed as quickly are computed anew at once when the data has changed; slower ones in the background."""

_CHANGED = "background_cache:changed"

_functions: dict[str, Cached] = {}
_computing: ContextVar[str] = ContextVar("the cached function under way", default="")


class NestedCache(RuntimeError):
    """A cached function called another: its result would mix figures of two moments."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    value: T
    computed_at: datetime
    took: timedelta


class Cached(Generic[P, T]):
    """A function whose results are cached by its arguments: dates, numbers, texts and None.

    A result older than `fresh_for` or than the data is returned all the same, and a worker is asked to refresh it; one that is older than
    the data and quick to compute is computed anew.
    """

    def __init__(self, compute: Callable[P, T], fresh_for: timedelta) -> None:
        functools.update_wrapper(self, compute)
        self.name = f"{compute.__module__}.{compute.__qualname__}"
        self._compute = compute
        self._signature = inspect.signature(compute)
        self._fresh_for = fresh_for
        _functions[self.name] = self

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        if outer := _computing.get():
            raise NestedCache(f"{outer} calls {self.name}, which is cached itself.")
        arguments = self._signature.bind(*args, **kwargs).args
        entry = cast("Entry[T] | None", cache.get(self._key(arguments)))
        if entry is None:
            return self.refresh(*args, **kwargs)
        is_outdated = entry.computed_at < cache.get(_CHANGED, entry.computed_at)
        if is_outdated and entry.took < QUICK:
            return self.refresh(*args, **kwargs)
        if is_outdated or entry.computed_at < timezone.now() - self._fresh_for:
            self._request_refresh(arguments)
        return entry.value

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Compute the result now, and cache it. Raises NestedCache."""
        computed_at = timezone.now()
        token = _computing.set(self.name)
        try:
            value = self._compute(*args, **kwargs)
        finally:
            _computing.reset(token)
        key = self._key(self._signature.bind(*args, **kwargs).args)
        entry = Entry(value, computed_at, timezone.now() - computed_at)
        cache.set(key, entry, EXPIRES_AFTER.total_seconds())
        return value

    def _request_refresh(self, arguments: tuple[object, ...]) -> None:
        key = f"{self._key(arguments)}:requested"
        if cache.add(key, 1, REFRESH_EXPECTED_WITHIN.total_seconds()):
            nudge(
                "analytics.tasks.refresh_cached", self.name, [_as_json(each) for each in arguments]
            )

    def _key(self, arguments: tuple[object, ...]) -> str:
        return ":".join(["background_cache", self.name, *map(str, arguments)])


def cached(fresh_for: timedelta) -> Callable[[Callable[P, T]], Cached[P, T]]:
    """Decorate a function so that its results are cached."""
    return lambda compute: Cached(compute, fresh_for)


def mark_changed() -> None:
    """Note that customers or orders have changed: cached figures of before are outdated."""
    cache.set(_CHANGED, timezone.now(), EXPIRES_AFTER.total_seconds())


def refresh(name: str, arguments: list[object]) -> None:
    """Refresh one result, as a worker is asked to; ignore a function that no longer exists."""
    if function := _functions.get(name):
        function.refresh(*map(_from_json, arguments))


def _as_json(argument: object) -> object:
    return {"date": argument.isoformat()} if isinstance(argument, date) else argument


def _from_json(argument: object) -> object:
    return date.fromisoformat(argument["date"]) if isinstance(argument, dict) else argument
