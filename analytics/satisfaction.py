"""How content customers are: what they came with, what became of it, and the marks that they gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Avg, Count, F

from analytics.commerce import day_bounds
from customers.models import ServiceInteraction

MARKS = range(1, 6)
CONTENT = 4
"""The mark from which on a customer counts as satisfied."""


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """Service interactions of some days: how many of each type, how many were resolved and how fast, and how many gave each mark."""

    by_type: dict[str, int]
    resolved: int
    mean_time_to_resolve: timedelta | None
    marks: dict[int, int]

    @property
    def interactions(self) -> int:
        return sum(self.by_type.values())

    @property
    def answers(self) -> int:
        return sum(self.marks.values())

    @property
    def average(self) -> Decimal | None:
        """The mean mark, 1 to 5."""
        points = sum(mark * number for mark, number in self.marks.items())
        return Decimal(points) / self.answers if self.answers else None

    @property
    def score(self) -> Decimal | None:
        """CSAT: those who gave CONTENT or better, of all who gave a mark."""
        content = sum(number for mark, number in self.marks.items() if mark >= CONTENT)
        return Decimal(content) / self.answers if self.answers else None

    @property
    def resolution_rate(self) -> Decimal | None:
        return Decimal(self.resolved) / self.interactions if self.interactions else None


def satisfaction(first: date, last: date) -> Satisfaction:
    """What came in from the first to the last of these local days."""
    start, end = day_bounds(first, last)
    came_in = ServiceInteraction.objects.filter(
        occurred_at__gte=start, occurred_at__lt=end
    ).order_by()
    types = dict(came_in.values_list("type").annotate(Count("pk")))
    marks = dict(
        came_in.exclude(satisfaction=None).values_list("satisfaction").annotate(Count("pk"))
    )
    solved = came_in.filter(resolved_at__isnull=False).aggregate(
        number=Count("pk"), mean=Avg(F("resolved_at") - F("occurred_at"))
    )
    return Satisfaction(
        by_type={each: types.get(each, 0) for each in ServiceInteraction.Type.values},
        resolved=solved["number"],
        mean_time_to_resolve=solved["mean"],
        marks={mark: marks.get(mark, 0) for mark in MARKS},
    )
