"""Performance of campaigns and segments: one row each, with as many queries for one as for all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Avg, Count, Q, QuerySet, Sum

from analytics import metrics, returns
from analytics.metrics import Totals
from analytics.returns import Roi
from customers.models import Segment, SegmentMembership
from marketing.models import Campaign, CampaignExecution, CampaignRun

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign with its results: `failed` messages never left, and `simulated` says that no message was delivered."""

    campaign: Campaign
    totals: Totals
    roi: Roi
    simulated: bool
    failed: int = 0


@dataclass(frozen=True, slots=True)
class MemberFigures:
    """Purchases of the members of a segment, all time."""

    spend: Decimal = ZERO
    orders: int = 0
    buyers: int = 0
    average_spend: Decimal | None = None

    @property
    def average_order_value(self) -> Decimal | None:
        return self.spend / self.orders if self.orders else None


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment; `totals` are those of the real campaigns with the segment in their audience, other recipients included."""

    segment: Segment
    members: MemberFigures
    campaigns: int
    totals: Totals


def campaign_rows(campaigns: Iterable[Campaign]) -> list[CampaignRow]:
    """Return these campaigns with their results, in the given order."""
    campaigns = list(campaigns)
    runs = CampaignRun.objects.filter(campaign__in=campaigns)
    sums = metrics.totals_by_campaign(runs)
    roi = returns.roi_by_campaign(campaigns, sums)
    simulated = set(runs.filter(simulated=True).order_by().values_list("campaign", flat=True))
    failed = _failed(runs)
    return [
        CampaignRow(
            each,
            sums.get(each.pk, Totals()),
            roi[each.pk],
            each.pk in simulated,
            failed.get(each.pk, 0),
        )
        for each in campaigns
    ]


def _failed(runs: QuerySet[CampaignRun]) -> dict[int, int]:
    """Return the number of failed messages by campaign id."""
    rows = CampaignExecution.objects.filter(run__in=runs, state=CampaignExecution.State.FAILED)
    return dict(rows.order_by().values_list("run__campaign").annotate(Count("pk")))


def segment_rows(segments: Iterable[Segment]) -> list[SegmentRow]:
    """Return these segments with their figures, in the given order."""
    segments = list(segments)
    members = _members(segments)
    campaigns = _campaigns(segments)
    sums = metrics.totals_by_campaign(
        CampaignRun.objects.filter(campaign__in=set().union(*campaigns.values()), simulated=False)
    )
    return [
        SegmentRow(
            each,
            members.get(each.pk, MemberFigures()),
            len(campaigns[each.pk]),
            sum((sums[pk] for pk in campaigns[each.pk] if pk in sums), Totals()),
        )
        for each in segments
    ]


def _members(segments: list[Segment]) -> dict[int, MemberFigures]:
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
    return {segment: MemberFigures(*figures) for segment, *figures in rows}


def _campaigns(segments: list[Segment]) -> dict[int, set[int]]:
    """Return the launched campaigns of each segment, by its id."""
    found: dict[int, set[int]] = {segment.pk: set() for segment in segments}
    rows = Campaign.segments.through.objects.filter(
        segment__in=segments, campaign__launched_at__isnull=False
    )
    for segment, campaign in rows.values_list("segment", "campaign"):
        found[segment].add(campaign)
    return found
