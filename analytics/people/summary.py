"""Summarise the profiles of all customers: RFM segments and scores, and churn risk."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Avg, Count, F, Func, Q, QuerySet, Sum, Value
from django.db.models.functions import Floor, Least
from django.utils import timezone

from analytics.people import rfm
from customers.models import CustomerProfile

LOW_BELOW, HIGH_FROM = 0.3, 0.7
MOST_POINTS = 400
"""More points than these cover each other."""


@dataclass(frozen=True, slots=True)
class RfmSegment:
    name: str
    customers: int
    spend: Decimal
    orders: float


@dataclass(frozen=True, slots=True)
class RfmPoint:
    """A buyer: days since the last order, orders, total spend, and the RFM segment."""

    days: int
    orders: int
    spend: Decimal
    segment: str


@dataclass(frozen=True, slots=True)
class Rfm:
    """`scores` counts customers by (recency, frequency, monetary); `points` are buyers, MOST_POINTS of them at most."""

    segments: list[RfmSegment]
    scores: dict[tuple[int, int, int], int]
    points: list[RfmPoint]

    @property
    def customers(self) -> int:
        return sum(segment.customers for segment in self.segments)


@dataclass(frozen=True, slots=True)
class ChurnRisk:
    """Number of customers by level and by tenth of their known churn risk, and the mean risk."""

    low: int
    medium: int
    high: int
    mean: float | None
    tenths: list[int]

    @property
    def customers(self) -> int:
        return self.low + self.medium + self.high


@dataclass(frozen=True, slots=True)
class LifetimeValue:
    """Spend so far plus the prediction for the next year: in all, and on average per customer with a profile."""

    total: Decimal
    average: Decimal | None


def lifetime_value() -> LifetimeValue:
    """Return the lifetime value of all customers, as their profiles have it."""
    known = CustomerProfile.objects.filter(customer__erased_at=None)
    sums = known.aggregate(total=Sum("lifetime_value"), average=Avg("lifetime_value"))
    return LifetimeValue(sums["total"] or Decimal(0), sums["average"])


def rfm_summary() -> Rfm:
    """Return the RFM segments in the order of rfm.SEGMENTS, empty segments included, and the customers by score."""
    scored = (
        CustomerProfile.objects.filter(customer__erased_at=None).exclude(rfm_segment="").order_by()
    )
    rows = scored.values_list("rfm_segment").annotate(
        Count("pk"), Sum("customer__total_spend"), Avg("customer__order_count")
    )
    found = {name: RfmSegment(name, *row) for name, *row in rows}
    names = [name for name, _r, _f in rfm.SEGMENTS]
    counts = scored.values_list("recency_score", "frequency_score", "monetary_score")
    return Rfm(
        [found.get(name, RfmSegment(name, 0, Decimal(0), 0.0)) for name in names],
        {(r, f, m): number for r, f, m, number in counts.annotate(Count("pk"))},
        _points(scored),
    )


def _points(scored: QuerySet[CustomerProfile]) -> list[RfmPoint]:
    """Return buyers, the same sample at every call where there are many."""
    now = timezone.now()
    sample = scored.exclude(customer__last_order_at=None).order_by(
        Func("customer_id", function="hashint8"), "customer_id"
    )
    rows = sample.values_list(
        "customer__last_order_at", "customer__order_count", "customer__total_spend", "rfm_segment"
    )
    return [
        RfmPoint(max((now - at).days, 0), orders, spend, segment)
        for at, orders, spend, segment in rows[:MOST_POINTS]
        if at
    ]


def churn_risk() -> ChurnRisk:
    """Return the churn risk of all customers with a known risk."""
    known = CustomerProfile.objects.filter(
        customer__erased_at=None, churn_risk__isnull=False
    ).order_by()
    tenth = Least(Floor(F("churn_risk") * 10), Value(9.0))
    by_tenth = {
        int(place): number
        for place, number in known.annotate(tenth=tenth).values_list("tenth").annotate(Count("pk"))
    }
    sums = known.aggregate(
        low=Count("pk", filter=Q(churn_risk__lt=LOW_BELOW)),
        medium=Count("pk", filter=Q(churn_risk__gte=LOW_BELOW, churn_risk__lt=HIGH_FROM)),
        high=Count("pk", filter=Q(churn_risk__gte=HIGH_FROM)),
        mean=Avg("churn_risk"),
    )
    return ChurnRisk(**sums, tenths=[by_tenth.get(place, 0) for place in range(10)])
