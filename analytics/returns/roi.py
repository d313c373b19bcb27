"""Return on investment: the revenue of campaigns against their costs, in total and day by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, Decimal
from itertools import accumulate

from django.db.models import Sum
from django.db.models.functions import TruncDate

from analytics import metrics
from analytics.metrics import Totals
from analytics.models import CampaignMetrics
from analytics.returns.costs import costs_by_campaign
from marketing.models import Campaign


@dataclass(frozen=True, slots=True)
class Roi:
    """The parts of ROI = (revenue − cost) / cost, in the site's currency.

    Revenue is that of the orders attributed to the campaign's messages. Cost is the sum of the known costs; a budget is a plan and no
    cost. Without a cost there is no profit and no ROI; with a cost of zero, no ROI.
    """

    revenue: Decimal
    conversions: int
    costs: dict[str, Decimal] = field(default_factory=dict)
    budget: Decimal | None = None

    @property
    def cost(self) -> Decimal | None:
        return sum(self.costs.values(), Decimal(0)) if self.costs else None

    @property
    def profit(self) -> Decimal | None:
        return None if self.cost is None else self.revenue - self.cost

    @property
    def roi(self) -> Decimal | None:
        """Return ROI as a fraction: 1.5 is 150 %."""
        return self.profit / self.cost if self.cost and self.profit is not None else None

    @property
    def revenue_per_conversion(self) -> Decimal | None:
        return self.revenue / self.conversions if self.conversions else None

    @property
    def break_even_conversions(self) -> int | None:
        """Return how many conversions of the average revenue cover the cost; None if either is unknown."""
        if self.cost is None or not self.revenue_per_conversion or self.revenue_per_conversion < 0:
            return None
        return int((self.cost / self.revenue_per_conversion).to_integral_value(ROUND_CEILING))

    @property
    def broke_even(self) -> bool | None:
        return None if self.profit is None else self.profit >= 0


@dataclass(frozen=True, slots=True)
class PaybackDay:
    """`earned` is the revenue up to and with the day, `profit` the same less the whole cost; None without a cost."""

    day: date
    revenue: Decimal
    earned: Decimal
    profit: Decimal | None


def roi_of(campaign: Campaign, totals: Totals | None = None) -> Roi:
    """Return the ROI of a campaign over all its runs; given `totals`, one query less."""
    totals = totals or metrics.totals(campaign.runs.all())
    return roi_by_campaign([campaign], {campaign.pk: totals})[campaign.pk]


def roi_by_campaign(campaigns: Iterable[Campaign], totals: Mapping[int, Totals]) -> dict[int, Roi]:
    """Return the ROI of each campaign by its id; a campaign without totals has no revenue."""
    by_id = {campaign.pk: campaign for campaign in campaigns}
    costs = costs_by_campaign(by_id.values(), totals)
    found = {}
    for pk, campaign in by_id.items():
        earned = totals.get(pk, Totals())
        found[pk] = Roi(earned.revenue, earned.converted, costs[pk], campaign.budget)
    return found


def combined(parts: Iterable[Roi]) -> Roi:
    """Add up the ROI of several campaigns; campaigns without a known cost are left out."""
    known = [part for part in parts if part.cost is not None]
    costs: dict[str, Decimal] = {}
    for part in known:
        for kind, amount in part.costs.items():
            costs[kind] = costs.get(kind, Decimal(0)) + amount
    return Roi(
        sum((part.revenue for part in known), Decimal(0)),
        sum(part.conversions for part in known),
        costs,
    )


def payback(campaign: Campaign, cost: Decimal | None) -> list[PaybackDay]:
    """Return the local days with sends or revenue, oldest first."""
    rows = list(
        CampaignMetrics.objects.filter(run__campaign=campaign)
        .annotate(day=TruncDate("hour"))
        .values_list("day")
        .annotate(Sum("revenue"))
        .order_by("day")
    )
    sums = accumulate(revenue for _day, revenue in rows)
    return [
        PaybackDay(day, revenue, earned, None if cost is None else earned - cost)
        for (day, revenue), earned in zip(rows, sums, strict=True)
    ]


def paid_back_on(days: list[PaybackDay]) -> date | None:
    """Return the day from which on the profit was never negative again; None if it is negative now."""
    since = None
    for each in reversed(days):
        if each.profit is None or each.profit < 0:
            break
        since = each.day
    return since
