"""Return on investment of campaigns: what came in for what was paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from analytics import metrics
from analytics.metrics import Totals
from analytics.returns import costs
from marketing.models import Campaign


@dataclass(frozen=True, slots=True)
class Roi:
    """The parts of ROI = (revenue − cost) / cost, the usual definition, in the site's currency.

    Revenue is what the orders credited to the campaign's messages came to. Cost is the sum of the costs that were entered: a budget
    is a plan, and is not taken for one. Without a cost there is no profit and no ROI; without a cost above zero, no ROI.
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
        """As a fraction: 1.5 means that each unit paid came back and brought one and a half more."""
        return self.profit / self.cost if self.cost and self.profit is not None else None

    @property
    def revenue_per_conversion(self) -> Decimal | None:
        return self.revenue / self.conversions if self.conversions else None

    @property
    def break_even_conversions(self) -> int | None:
        """How many conversions of the average revenue so far pay the cost; None where one of the two is not known."""
        if self.cost is None or not self.revenue_per_conversion or self.revenue_per_conversion < 0:
            return None
        return int((self.cost / self.revenue_per_conversion).to_integral_value(ROUND_CEILING))

    @property
    def broke_even(self) -> bool | None:
        return None if self.profit is None else self.profit >= 0


def of_campaign(campaign: Campaign, totals: Totals | None = None) -> Roi:
    """The ROI of one campaign over all of its runs; `totals` saves a query to those who have them."""
    earned = totals or metrics.totals(campaign.runs.all())
    return of_campaigns([campaign], {campaign.pk: earned})[campaign.pk]


def of_campaigns(campaigns: Iterable[Campaign], totals: Mapping[int, Totals]) -> dict[int, Roi]:
    """The ROI of each campaign by its id, from the totals of each (none: nothing came of it), in one query."""
    known = {campaign.pk: campaign for campaign in campaigns}
    by_kind = costs.by_kind(known.values(), totals)
    found = {}
    for pk, campaign in known.items():
        earned = totals.get(pk, Totals())
        found[pk] = Roi(earned.revenue, earned.converted, by_kind[pk], campaign.budget)
    return found


def combined(parts: Iterable[Roi]) -> Roi:
    """The ROI of several campaigns together, of those alone whose costs are known: others would be revenue for nothing."""
    known = [part for part in parts if part.cost is not None]
    summed: dict[str, Decimal] = {}
    for part in known:
        for kind, amount in part.costs.items():
            summed[kind] = summed.get(kind, Decimal(0)) + amount
    return Roi(
        sum((part.revenue for part in known), Decimal(0)),
        sum(part.conversions for part in known),
        summed,
    )
