"""How segments do: what their members are worth, and what came of the campaigns that went to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Avg, Count, Q, Sum

from analytics import metrics
from analytics.metrics import Totals
from customers.models import Segment, SegmentMembership
from marketing.models import Campaign, CampaignRun

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Worth:
    """What the members of a segment bought, since ever."""

    spend: Decimal = ZERO
    orders: int = 0
    buyers: int = 0
    average_spend: Decimal | None = None

    @property
    def average_order_value(self) -> Decimal | None:
        return self.spend / self.orders if self.orders else None


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment; `totals` are of the real campaigns that name it, whoever else they went to."""

    segment: Segment
    worth: Worth
    campaigns: int
    totals: Totals


def segment_rows(segments: Iterable[Segment]) -> list[SegmentRow]:
    """These segments with their figures; as many queries for one as for all."""
    shown = list(segments)
    worth = _worth(shown)
    campaigns = _campaigns(shown)
    sums = metrics.totals_by_campaign(
        CampaignRun.objects.filter(campaign__in=set().union(*campaigns.values()), simulated=False)
    )
    return [
        SegmentRow(
            each,
            worth.get(each.pk, Worth()),
            len(campaigns[each.pk]),
            sum((sums[pk] for pk in campaigns[each.pk] if pk in sums), Totals()),
        )
        for each in shown
    ]


def _worth(segments: list[Segment]) -> dict[int, Worth]:
    rows = (
        SegmentMembership.objects.filter(segment__in=segments)
        .order_by()
        .values_list("segment")
        .annotate(
            spend=Sum("customer__total_spend"),
            orders=Sum("customer__order_count"),
            buyers=Count("pk", filter=Q(customer__order_count__gt=0)),
            average=Avg("customer__total_spend"),
        )
    )
    return {segment: Worth(*figures) for segment, *figures in rows}


def _campaigns(segments: list[Segment]) -> dict[int, set[int]]:
    """The launched campaigns whose audience names each segment."""
    found: dict[int, set[int]] = {segment.pk: set() for segment in segments}
    rows = Campaign.segments.through.objects.filter(
        segment__in=segments, campaign__launched_at__isnull=False
    )
    for segment, campaign in rows.values_list("segment", "campaign"):
        found[segment].add(campaign)
    return found
