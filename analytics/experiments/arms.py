"""One arm of an experiment, by the sums that all statistics here are made of."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Rate:
    """Of `customers` people, `count` did it."""

    customers: int
    count: int

    @property
    def value(self) -> float:
        return self.count / self.customers if self.customers else 0.0

    @property
    def variance(self) -> float:
        """Of one person's outcome, 0 or 1."""
        return self.value * (1 - self.value)

    @property
    def standard_error(self) -> float:
        return sqrt(self.variance / self.customers) if self.customers else 0.0


@dataclass(frozen=True, slots=True)
class Mean:
    """Of `customers` people, `count` had an amount that is not zero; `value` and `variance` are of the amounts of all of them."""

    customers: int
    count: int
    value: float
    variance: float

    @property
    def standard_error(self) -> float:
        return sqrt(self.variance / self.customers) if self.customers else 0.0


Measure = Rate | Mean
