"""Sample size and power of an experiment before it starts, and the sample ratio check while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, sqrt

import scipy
from django.db.models import Count, F, Q, QuerySet, Sum

from analytics.days import day_bounds
from customers.models import Customer, Order
from marketing.statistics import Mean

ALPHA = 0.05
POWER = 0.8
MISMATCH_BELOW = 0.001
"""A smaller p-value is a sample ratio mismatch (Fabijan et al. 2019, "Diagnosing Sample Ratio Mismatch")."""


@dataclass(frozen=True, slots=True)
class SampleSizePlan:
    """An experiment with arms of equal size, each compared with the first (Bonferroni).

    `base` is a rate, or with a standard `deviation` a mean; `lift` is relative to it: 0.1 is 10 % more. `available` customers are there
    for the experiment, `per_day` of them enter it a day, and each is observed for `days`.

    Rates: Fleiss, Levin and Paik 2003, "Statistical Methods for Rates and Proportions", 4.14. Means: Chow, Shao, Wang and Lokhnygina 2017,
    "Sample Size Calculations in Clinical Research", 3.2.1, with the normal distribution and the same deviation in each arm.
    """

    base: float
    lift: float = 0.0
    deviation: float | None = None
    arms: int = 2
    alpha: float = ALPHA
    power: float = POWER
    available: int | None = None
    per_day: int | None = None
    days: int = 0

    @property
    def per_arm(self) -> int | None:
        """Return the customers needed per arm; None if no number suffices, as for a rate with its lift above 1."""
        other = self.base * (1 + self.lift)
        if not self._is_possible or other == self.base:
            return None
        power = float(scipy.stats.norm.ppf(self.power))
        if self.deviation is not None:
            reach = (self._critical + power) * self.deviation
            return ceil(2 * (reach / (self.base * self.lift)) ** 2)
        null, alternative = _spreads(self.base, other)
        return ceil(((self._critical * null + power * alternative) / (other - self.base)) ** 2)

    @property
    def total(self) -> int | None:
        return None if self.per_arm is None else self.per_arm * self.arms

    @property
    def available_per_arm(self) -> int | None:
        return None if self.available is None else self.available // self.arms

    @property
    def duration(self) -> int | None:
        """Return the days until the last customer needed was observed; None without `per_day`."""
        if self.total is None or not self.per_day:
            return None
        return ceil(self.total / self.per_day) + self.days

    def power_with(self, per_arm: int) -> float:
        """Return the probability to detect the lift with this many customers per arm."""
        return self._power(per_arm, self.lift)

    def smallest_lift_with(self, per_arm: int) -> float | None:
        """Return the minimum detectable effect with this many customers per arm; None if a rate would have to more than double."""
        if self.deviation is not None:
            if self.base <= 0 or self.deviation <= 0 or per_arm < 1:
                return None
            reach = self._critical + float(scipy.stats.norm.ppf(self.power))
            return reach * self.deviation * sqrt(2 / per_arm) / self.base
        if not 0 < self.base < 1:
            return None
        low, high = 0.0, min(1.0, 0.999_999 / self.base - 1)
        if self._power(per_arm, high) < self.power:
            return None
        for _halving in range(50):
            middle = (low + high) / 2
            if self._power(per_arm, middle) < self.power:
                low = middle
            else:
                high = middle
        return high

    @property
    def _critical(self) -> float:
        return float(scipy.stats.norm.ppf(1 - self.alpha / 2 / max(self.arms - 1, 1)))

    @property
    def _is_possible(self) -> bool:
        if self.deviation is not None:
            return self.base > 0 and self.deviation > 0
        return 0 < self.base < 1 and 0 < self.base * (1 + self.lift) < 1

    def _power(self, per_arm: int, lift: float) -> float:
        other = self.base * (1 + lift)
        if per_arm < 1 or self.base <= 0:
            return 0.0
        if self.deviation is not None:
            null = alternative = self.deviation * sqrt(2)
        elif self.base < 1 and 0 < other < 1:
            null, alternative = _spreads(self.base, other)
        else:
            return 0.0
        if not alternative:
            return 0.0
        reach = (abs(other - self.base) * sqrt(per_arm) - self._critical * null) / alternative
        return float(scipy.stats.norm.cdf(reach))


def purchases_of(customers: QuerySet[Customer], first: date, last: date) -> Mean:
    """Return what these customers spent on some days: number of buyers, mean and variance of all amounts."""
    start, end = day_bounds(first, last)
    spent = (
        Order.objects.filter(
            customer__in=customers.order_by(), placed_at__gte=start, placed_at__lt=end
        )
        .order_by()
        .values("customer")
        .annotate(spent=Sum("net"))
    )
    found = spent.aggregate(
        buyers=Count("customer", filter=Q(spent__gt=0)),
        sum=Sum("spent"),
        squares=Sum(F("spent") * F("spent")),
    )
    number = customers.count()
    mean = float(found["sum"] or 0) / number if number else 0.0
    squares = float(found["squares"] or 0) - number * mean**2
    return Mean(
        number, found["buyers"], mean, max(squares, 0.0) / (number - 1) if number > 1 else 0.0
    )


def sample_ratio_p(customers: Sequence[int], shares: Sequence[float]) -> float | None:
    """Return the p-value of Pearson's chi-squared test of arm sizes against their shares; None for one arm."""
    if len(customers) < 2 or not sum(customers):
        return None
    whole = sum(customers) / sum(shares)
    return float(scipy.stats.chisquare(customers, [share * whole for share in shares]).pvalue)


def _spreads(rate: float, other: float) -> tuple[float, float]:
    """Return the deviation of the difference of two rates, if they were equal and as they are."""
    mean = (rate + other) / 2
    return sqrt(2 * mean * (1 - mean)), sqrt(rate * (1 - rate) + other * (1 - other))
