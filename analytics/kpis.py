"""The headline figures of some days, each with its course by day: people and sales, and what campaigns did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.db.models.functions import TruncDate

from analytics import commerce, metrics
from analytics.background_cache import keep
from analytics.commerce import Month, Period, day_bounds
from analytics.metrics import Totals
from analytics.models import CampaignMetrics
from analytics.returns import roi
from analytics.returns.roi import Roi
from marketing.models import Campaign, CampaignRun

FRESH = timedelta(minutes=1)

Course = list[Decimal | int]
"""A figure of each day, oldest first."""


@dataclass(frozen=True, slots=True)
class Shop:
    """What customers did on some days. `months` are the calendar months up to the last day."""

    period: Period
    new: int
    new_by_day: list[int]
    months: list[Month]


@dataclass(frozen=True, slots=True)
class Post:
    """What campaigns did on some days; the courses have the names of counters."""

    totals: Totals
    roi: Roi
    by_day: dict[str, Course]


@keep(FRESH)
def shop(first: date, last: date) -> Shop:
    """It moves slowly, so it is kept for a minute."""
    days = (last - first).days + 1
    new = commerce.new_customers_by_day(first, last)
    return Shop(
        period=commerce.period(last, days),
        new=sum(new.values()),
        new_by_day=[new.get(day, 0) for day in each_day(first, last)],
        months=commerce.months(last),
    )


def post(first: date, last: date, *, simulated: bool) -> Post:
    """Of the real campaigns or of the simulated ones."""
    bounds = day_bounds(first, last)
    runs = CampaignRun.objects.filter(simulated=simulated)
    sums = metrics.totals_by_campaign(runs, bounds)
    campaigns = Campaign.objects.filter(pk__in=sums)
    return Post(
        totals=sum(sums.values(), Totals()),
        roi=roi.combined(roi.of_campaigns(campaigns, sums).values()),
        by_day=_by_day(first, last, simulated=simulated),
    )


def each_day(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=each) for each in range((last - first).days + 1))


def _by_day(first: date, last: date, *, simulated: bool) -> dict[str, Course]:
    """With the rates of reading among them, of what was sent on the day, in whole parts of ten thousand."""
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

    def course(figure: Callable[[dict[str, Any]], Any]) -> Course:
        return [figure(found[day]) if day in found else 0 for day in each_day(first, last)]

    def rate(name: str) -> Course:
        return course(
            lambda row: 10_000 * row[f"sum_{name}"] // row["sum_sent"] if row["sum_sent"] else 0
        )

    return {
        **{name: course(lambda row, key=f"sum_{name}": row[key]) for name in names},  # type: ignore[misc]
        "open_rate": rate("opened"),
        "click_rate": rate("clicked"),
    }
