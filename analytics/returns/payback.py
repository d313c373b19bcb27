"""How a campaign earns back what it cost, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate

from django.db.models import Sum
from django.db.models.functions import TruncDate

from analytics.models import CampaignMetrics
from marketing.models import Campaign


@dataclass(frozen=True, slots=True)
class Day:
    """`profit` is all revenue up to and with the day, less the whole cost; None where the cost is not known."""

    day: date
    revenue: Decimal
    earned: Decimal
    profit: Decimal | None


def payback(campaign: Campaign, cost: Decimal | None) -> list[Day]:
    """The days on which something was earned, or sent, oldest first, in the site's time zone."""
    rows = list(
        CampaignMetrics.objects.filter(run__campaign=campaign)
        .annotate(day=TruncDate("hour"))
        .values_list("day")
        .annotate(Sum("revenue"))
        .order_by("day")
    )
    sums = accumulate(revenue for _day, revenue in rows)
    return [
        Day(day, revenue, earned, None if cost is None else earned - cost)
        for (day, revenue), earned in zip(rows, sums, strict=True)
    ]


def paid_back_on(days: list[Day]) -> date | None:
    """The first day from which on the campaign had earned its cost for good; None while it has not."""
    for_good = None
    for each in reversed(days):
        if each.profit is None or each.profit < 0:
            break
        for_good = each.day
    return for_good
