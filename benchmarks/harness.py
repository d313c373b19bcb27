"""Results of benchmarks, and timers."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Scale(StrEnum):
    SMALL = "small"  # seconds, for every day
    FULL = "full"  # 1,000,000 customers


@dataclass(frozen=True)
class Result:
    """One comparison. `ours` and `reference` are rates of the same unit, so more is better in both.

    `target` is the least ratio of the two that will do.
    """

    name: str
    ours: float
    reference: float
    target: float

    @property
    def ratio(self) -> float:
        return self.ours / self.reference

    @property
    def ok(self) -> bool:
        return self.ratio >= self.target

    def as_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "ours": round(self.ours, 1),
            "reference": round(self.reference, 1),
            "ratio": round(self.ratio, 2),
            "target": self.target,
            "ok": self.ok,
        }


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median_seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the median seconds of a few calls."""
    return statistics.median(seconds(work) for _ in range(repeats))


def medians_in_turn(
    ours: Callable[[], object], reference: Callable[[], object], rounds: int = 7
) -> tuple[float, float]:
    """Return the median seconds of both, measured warm and in turns, so that other load affects both."""
    ours(), reference()
    pairs = [(seconds(ours), seconds(reference)) for _round in range(rounds)]
    of_ours, of_reference = zip(*pairs, strict=True)
    return statistics.median(of_ours), statistics.median(of_reference)
