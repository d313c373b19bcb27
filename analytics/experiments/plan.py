"""A test before it starts: how many people it takes, what so many would see, and how long it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from analytics.commerce import day_bounds
from analytics.experiments import sample_size
from analytics.experiments.arms import Mean
from customers.models import Customer, Order


@dataclass(frozen=True, slots=True)
class Plan:
    """`base` is a rate, or a mean where its `deviation` is given; `lift` is relative to it: 0.1 is 10 % more. Arms are equal in size.

    `people` are those that there are for the test, `per_day` how many of them come into it a day, `days` how long each is looked at.
    """

    base: float
    lift: float
    deviation: float | None = None
    arms: int = 2
    alpha: float = sample_size.ALPHA
    power: float = sample_size.POWER
    people: int | None = None
    per_day: int | None = None
    days: int = 0

    @property
    def needed(self) -> int | None:
        """People an arm; None where no number shows it, as where a rate with its lift would be above 1."""
        try:
            if self.deviation is None:
                return sample_size.customers_needed(
                    self.base, self.lift, arms=self.arms, alpha=self.alpha, power=self.power
                )
            return sample_size.customers_needed_for_means(
                self.base, self.deviation, self.lift, arms=self.arms, alpha=self.alpha, power=self.power
            )  # fmt: skip
        except ValueError:
            return None

    @property
    def needed_in_all(self) -> int | None:
        return None if self.needed is None else self.needed * self.arms

    @property
    def an_arm(self) -> int | None:
        """How many of the people that there are each arm gets."""
        return None if self.people is None else self.people // self.arms

    def power_with(self, an_arm: int) -> float:
        """The chance to see the lift with so many people an arm."""
        if self.deviation is None:
            return sample_size.power_of(
                an_arm, self.base, self.lift, arms=self.arms, alpha=self.alpha
            )
        return sample_size.power_for_means(
            an_arm, self.base, self.deviation, self.lift, arms=self.arms, alpha=self.alpha
        )

    def least_lift_with(self, an_arm: int) -> float | None:
        """The smallest lift that so many people an arm show with the power asked for; None where even a doubling would not be seen."""
        options: dict[str, Any] = {"arms": self.arms, "alpha": self.alpha, "power": self.power}
        if self.deviation is None:
            return sample_size.least_lift(an_arm, self.base, **options)
        return sample_size.least_lift_for_means(an_arm, self.base, self.deviation, **options)

    @property
    def duration(self) -> int | None:
        """Days until as many as are needed have come in and been looked at; None where it is not said how many come a day."""
        if self.needed_in_all is None or not self.per_day:
            return None
        return ceil(self.needed_in_all / self.per_day) + self.days


def bought(people: QuerySet[Customer], first: date, last: date) -> Mean:
    """What these people spent on some days, as the base of a test: how many of them bought, and mean and variance of everybody's amount."""
    start, end = day_bounds(first, last)
    spent = (
        Order.objects.filter(
            customer__in=people.order_by(), placed_at__gte=start, placed_at__lt=end
        )
        .order_by()
        .values("customer")
        .annotate(spent=Sum("amount"))
    )
    found = spent.aggregate(
        buyers=Count("customer", filter=Q(spent__gt=0)),
        sum=Sum("spent"),
        squares=Sum(F("spent") * F("spent")),
    )
    number = people.count()
    mean = float(found["sum"] or 0) / number if number else 0.0
    squares = float(found["squares"] or 0) - number * mean**2
    return Mean(
        number, found["buyers"], mean, max(squares, 0.0) / (number - 1) if number > 1 else 0.0
    )
