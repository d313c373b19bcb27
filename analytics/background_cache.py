"""Figures that take long to work out are kept: a page shows those of a while ago at once, and a worker works them out anew behind it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic, ParamSpec, TypeVar, cast

from django.core.cache import cache
from django.utils import timezone

from crm.nudge import nudge

P = ParamSpec("P")
T = TypeVar("T")

KEPT_FOR = timedelta(days=2)
RENEWED_WITHIN = timedelta(minutes=5)
"""So long nobody else is asked to renew what is being renewed."""

_functions: dict[str, Kept] = {}


@dataclass(frozen=True, slots=True)
class Slot(Generic[T]):
    value: T
    at: datetime


class Kept(Generic[P, T]):
    """A function whose answers are kept by its arguments: dates, numbers and texts. Answers older than `fresh` are given all the same, and
    renewed by a worker."""

    def __init__(self, compute: Callable[P, T], fresh: timedelta) -> None:
        functools.update_wrapper(self, compute)
        self.name = f"{compute.__module__}.{compute.__qualname__}"
        self._compute = compute
        self._signature = inspect.signature(compute)
        self._fresh = fresh
        _functions[self.name] = self

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        asked = self._signature.bind(*args, **kwargs).args
        slot = cast("Slot[T] | None", cache.get(self._key(asked)))
        if slot is None:
            return self.renew(*args, **kwargs)
        if slot.at < timezone.now() - self._fresh:
            self._ask_to_renew(asked)
        return slot.value

    def renew(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Work the answer out now, and keep it."""
        at = timezone.now()
        value = self._compute(*args, **kwargs)
        asked = self._signature.bind(*args, **kwargs).args
        cache.set(self._key(asked), Slot(value, at), KEPT_FOR.total_seconds())
        return value

    def _ask_to_renew(self, args: tuple[object, ...]) -> None:
        if cache.add(f"{self._key(args)}:asked", 1, RENEWED_WITHIN.total_seconds()):
            nudge("analytics.tasks.renew_kept", self.name, [_told(each) for each in args])

    def _key(self, args: tuple[object, ...]) -> str:
        return ":".join(["kept", self.name, *map(str, args)])


def keep(fresh: timedelta) -> Callable[[Callable[P, T]], Kept[P, T]]:
    """Decorator: keep what the function answers, and renew what is older."""
    return lambda compute: Kept(compute, fresh)


def renew(name: str, args: list[object]) -> None:
    """For the worker that was asked; a function that is gone is passed over."""
    if name in _functions:
        _functions[name].renew(*(_meant(each) for each in args))


def _told(argument: object) -> object:
    """As JSON has it."""
    return {"date": argument.isoformat()} if isinstance(argument, date) else argument


def _meant(told: object) -> object:
    return date.fromisoformat(told["date"]) if isinstance(told, dict) else told
