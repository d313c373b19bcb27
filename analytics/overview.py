"""The headline figures: people, sales of a period beside the one before, and what campaigns came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Count

from analytics import commerce, dashboard, satisfaction
from analytics.commerce import Period
from analytics.dashboard import Results
from analytics.satisfaction import Satisfaction
from crm import estimated_counts
from customers.models import Customer, Segment
from marketing.models import Campaign


@dataclass(frozen=True, slots=True)
class Overview:
    """As of `period.last`. Campaigns that were simulated stand beside the real ones, never among them."""

    customers: estimated_counts.Count
    new_customers: int
    buyers: int
    period: Period
    satisfaction: Satisfaction
    by_lifecycle: dict[str, int]
    segments: int
    campaigns: dict[str, int]
    real: Results
    simulated: Results

    @property
    def as_of(self) -> date:
        return self.period.last


def overview(days: int = 30) -> Overview:
    """The figures of the `days` days up to commerce.as_of(); campaigns since ever."""
    last = commerce.as_of()
    period = commerce.period(last, days)
    return Overview(
        customers=estimated_counts.count(Customer.objects.all()),
        new_customers=commerce.new_customers(last, days),
        buyers=commerce.buyers(period.first, last),
        period=period,
        satisfaction=satisfaction.satisfaction(period.first, last),
        by_lifecycle=dashboard.customers_by_lifecycle(),
        segments=Segment.objects.count(),
        campaigns=_campaigns_by_state(),
        real=dashboard.results(simulated=False),
        simulated=dashboard.results(simulated=True),
    )


def _campaigns_by_state() -> dict[str, int]:
    rows = Campaign.objects.order_by().values_list("state").annotate(Count("pk"))
    found = dict(rows)
    return {state: found.get(state, 0) for state in Campaign.State.values}
