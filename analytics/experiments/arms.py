"""The measure of one arm of an experiment, as the sums that all statistics need."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate: `count` of `customers` converted."""

    customers: int
    count: int

    @property
    def value(self) -> float:
        return self.count / self.customers if self.customers else 0.0

    @property
    def variance(self) -> float:
        """Return the variance of one customer's outcome, 0 or 1."""
        return self.value * (1 - self.value)

    @property
    def standard_error(self) -> float:
        return sqrt(self.variance / self.customers) if self.customers else 0.0


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean amount of `customers`, `count` of them with an amount other than zero; `variance` is that of all amounts."""

    customers: int
    count: int
    value: float
    variance: float

    @property
    def standard_error(self) -> float:
        return sqrt(self.variance / self.customers) if self.customers else 0.0


Measure = Rate | Mean
