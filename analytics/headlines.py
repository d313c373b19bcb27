"""Headline figures: customers and sales of some days, and the results of campaigns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from analytics import commerce, metrics, people, returns
from analytics.background_cache import cached
from analytics.commerce import Loyalty, Month, Period, Satisfaction
from analytics.days import as_of, day_bounds, each_day
from analytics.metrics import Totals
from analytics.models import CampaignMetrics
from analytics.people import LifetimeValue
from analytics.returns import Roi
from crm import estimated_counts
from customers.models import Customer, Segment
from marketing.models import Campaign, CampaignRun

FRESH_FOR = timedelta(minutes=1)
PERIOD_DAYS = 30
RATE_SCALE = 10_000

TimeSeries = list[Decimal | int]
"""One figure a day, oldest first."""


@dataclass(frozen=True, slots=True)
class CustomerFigures:
    """Customers as of `computed_at`; registrations, buyers and sales of the period; the calendar months up to its last day.

    `number_at_end` counts customers who registered by the end of the period.
    """

    computed_at: datetime
    number: int
    estimated: bool
    number_at_end: int
    by_lifecycle: dict[str, int]
    lifetime_value: LifetimeValue
    loyalty: Loyalty
    new: int
    new_by_day: list[int]
    buyers: int
    period: Period
    months: list[Month]


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """Results of all real or all simulated campaigns; `by_day` holds a time series for each counter and rate of some days."""

    totals: Totals
    roi: Roi
    by_day: dict[str, TimeSeries] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    """Every headline figure: customers, sales and satisfaction of the period, and the campaigns of all time."""

    customers: CustomerFigures
    satisfaction: Satisfaction
    segments: int
    campaigns: dict[str, int]
    real: CampaignFigures
    simulated: CampaignFigures

    @property
    def period(self) -> Period:
        return self.customers.period


@cached(FRESH_FOR)
def customer_figures(first: date, last: date) -> CustomerFigures:
    """Return the figures of customers and sales from `first` to `last`."""
    customers = estimated_counts.count(Customer.objects.present())
    new = commerce.new_customers_by_day(first, last)
    return CustomerFigures(
        computed_at=timezone.now(),
        number=customers.number,
        estimated=customers.estimated,
        number_at_end=commerce.customers_until(last),
        lifetime_value=people.lifetime_value(),
        loyalty=commerce.loyalty(first, last),
        by_lifecycle=customers_by_lifecycle(),
        new=sum(new.values()),
        new_by_day=[new.get(day, 0) for day in each_day(first, last)],
        buyers=commerce.buyers(first, last),
        period=commerce.period(last, (last - first).days + 1),
        months=commerce.months(last),
    )


def campaign_figures(
    first: date | None = None, last: date | None = None, *, simulated: bool
) -> CampaignFigures:
    """Return the results of all real or all simulated campaigns, of all time or of some days."""
    days = (first, last) if first and last else None
    runs = CampaignRun.objects.filter(simulated=simulated)
    sums = metrics.totals_by_campaign(runs, day_bounds(*days) if days else None)
    campaigns = Campaign.objects.filter(pk__in=sums).only("budget", "sender_id", "cost_per_message")
    return CampaignFigures(
        totals=sum(sums.values(), Totals()),
        roi=returns.combined(returns.roi_by_campaign(campaigns, sums).values()),
        by_day=_by_day(*days, simulated=simulated) if days else {},
    )


def overview(days: int = PERIOD_DAYS) -> Overview:
    """Compute the headline figures of the `days` days up to as_of()."""
    last = as_of()
    first = last - timedelta(days=days - 1)
    return Overview(
        customers=customer_figures.refresh(first, last),
        satisfaction=commerce.satisfaction(first, last),
        segments=Segment.objects.count(),
        campaigns=_counts(Campaign.objects.all(), "state", Campaign.State.values),
        real=campaign_figures(simulated=False),
        simulated=campaign_figures(simulated=True),
    )


def customers_by_lifecycle() -> dict[str, int]:
    """Count customers by lifecycle status, zeros included."""
    return _counts(Customer.objects.present(), "lifecycle_status", Customer.Lifecycle.values)


def _counts(rows: QuerySet[Any], column: str, values: list[str]) -> dict[str, int]:
    found = dict(rows.order_by().values_list(column).annotate(Count("pk")))
    return {value: found.get(value, 0) for value in values}


def _by_day(first: date, last: date, *, simulated: bool) -> dict[str, TimeSeries]:
    """Return the time series by name; a rate is a fraction of the messages sent on the day, in parts of RATE_SCALE."""
    start, end = day_bounds(first, last)
    names = ("sent", "opened", "clicked", "converted", "revenue")
    rows = (
        CampaignMetrics.objects.filter(run__simulated=simulated, hour__gte=start, hour__lt=end)
        .annotate(day=TruncDate("hour"))
        .values("day")
        .annotate(**{f"sum_{name}": Sum(name) for name in names})
        .order_by()
    )
    found: dict[date, dict[str, Any]] = {row["day"]: dict(row) for row in rows}

    def series(figure: Callable[[dict[str, Any]], Any]) -> TimeSeries:
        return [figure(found[day]) if day in found else 0 for day in each_day(first, last)]

    def rate(name: str) -> TimeSeries:
        return series(
            lambda row: RATE_SCALE * row[f"sum_{name}"] // row["sum_sent"] if row["sum_sent"] else 0
        )

    return {
        **{name: series(lambda row, key=f"sum_{name}": row[key]) for name in names},  # type: ignore[misc]
        "open_rate": rate("opened"),
        "click_rate": rate("clicked"),
    }
