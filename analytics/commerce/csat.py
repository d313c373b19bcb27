"""Customer satisfaction (CSAT): service interactions, how many were resolved, and their ratings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Avg, Count, F

from analytics.days import day_bounds
from customers.models import ServiceInteraction

RATINGS = range(1, 6)
SATISFIED_FROM = 4


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """Service interactions of some days by type, how many were resolved and how fast, and the number of each rating."""

    by_type: dict[str, int]
    resolved: int
    mean_time_to_resolve: timedelta | None
    ratings: dict[int, int]

    @property
    def interactions(self) -> int:
        return sum(self.by_type.values())

    @property
    def answers(self) -> int:
        return sum(self.ratings.values())

    @property
    def average(self) -> Decimal | None:
        """Return the mean rating, 1 to 5."""
        points = sum(rating * number for rating, number in self.ratings.items())
        return Decimal(points) / self.answers if self.answers else None

    @property
    def score(self) -> Decimal | None:
        """Return CSAT: the fraction of ratings from SATISFIED_FROM on."""
        satisfied = sum(
            number for rating, number in self.ratings.items() if rating >= SATISFIED_FROM
        )
        return Decimal(satisfied) / self.answers if self.answers else None

    @property
    def resolution_rate(self) -> Decimal | None:
        return Decimal(self.resolved) / self.interactions if self.interactions else None


def satisfaction(first: date, last: date) -> Satisfaction:
    """Summarise the service interactions from `first` to `last`, both included."""
    start, end = day_bounds(first, last)
    interactions = ServiceInteraction.objects.filter(
        occurred_at__gte=start, occurred_at__lt=end
    ).order_by()
    types = dict(interactions.values_list("type").annotate(Count("pk")))
    rated = interactions.exclude(satisfaction=None)
    ratings = dict(rated.values_list("satisfaction").annotate(Count("pk")))
    resolved = interactions.filter(resolved_at__isnull=False).aggregate(
        number=Count("pk"), mean=Avg(F("resolved_at") - F("occurred_at"))
    )
    return Satisfaction(
        by_type={each: types.get(each, 0) for each in ServiceInteraction.Type.values},
        resolved=resolved["number"],
        mean_time_to_resolve=resolved["mean"],
        ratings={rating: ratings.get(rating, 0) for rating in RATINGS},
    )
