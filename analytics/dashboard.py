"""Everything on the dashboard, as data: the same for the admin's index and for the API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Case, Count, Q, QuerySet, When
from django.utils import timezone

from analytics import commerce, metrics
from analytics.background_cache import keep
from analytics.commerce import RECENT, Month, Period, as_of
from analytics.metrics import Totals
from analytics.returns import roi
from analytics.returns.roi import Roi
from crm.estimated_counts import count
from customers.models import Customer, Segment
from marketing.models import Campaign, CampaignExecution, CampaignRun
from marketing.sending.progress import done_and_sent

FRESH = timedelta(minutes=1)
SHOWN_CAMPAIGNS = 8
SHOWN_SEGMENTS = 8
OVERDUE = timedelta(minutes=2)

State = CampaignExecution.State


@dataclass(frozen=True, slots=True)
class People:
    """What is known of customers and what they bought. It moves slowly, so it is kept for a minute."""

    number: int
    estimated: bool
    new: int
    period: Period
    months: list[Month]
    by_lifecycle: dict[str, int]


@dataclass(frozen=True, slots=True)
class Results:
    """What all campaigns of one kind, the real or the simulated, came to."""

    totals: Totals
    roi: Roi


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """One campaign and what came of it; `simulated` says that nobody real did any of it."""

    campaign: Campaign
    totals: Totals
    roi: Roi
    simulated: bool


@dataclass(frozen=True, slots=True)
class Underway:
    """A run that is not over, and how many of its messages need nothing more."""

    run: CampaignRun
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should look at: `kind` is failed, unconfirmed, error or overdue."""

    kind: str
    campaign: Campaign
    number: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    people: People
    real: Results
    simulated: Results
    campaigns: list[CampaignRow]
    segments: list[Segment]
    underway: list[Underway]
    notices: list[Notice]

    @property
    def is_empty(self) -> bool:
        return not self.people.number and not self.campaigns


def dashboard() -> Dashboard:
    """The dashboard as of now; customers and sales as of at most a minute ago."""
    return Dashboard(
        people=people(),
        real=results(simulated=False),
        simulated=results(simulated=True),
        campaigns=campaign_rows(newest_campaigns()[:SHOWN_CAMPAIGNS]),
        segments=list(Segment.objects.order_by("-size", "name")[:SHOWN_SEGMENTS]),
        underway=runs_under_way(),
        notices=[*run_errors(), *overdue_campaigns(), *unhappy_messages()],
    )


@keep(FRESH)
def people() -> People:
    """Customers and sales, as of a little while ago. Where the newest order is over a month old, the figures are those of its time."""
    last = as_of()
    customers = count(Customer.objects.all())
    return People(
        number=customers.number,
        estimated=customers.estimated,
        new=commerce.new_customers(last),
        period=commerce.period(last),
        months=commerce.months(last),
        by_lifecycle=customers_by_lifecycle(),
    )


def customers_by_lifecycle() -> dict[str, int]:
    rows = Customer.objects.order_by().values_list("lifecycle_status").annotate(Count("pk"))
    found = dict(rows)
    return {status: found.get(status, 0) for status in Customer.Lifecycle.values}


def results(*, simulated: bool) -> Results:
    """All campaigns that went out for real, or all that were simulated."""
    runs = CampaignRun.objects.filter(simulated=simulated)
    sums = metrics.totals_by_campaign(runs)
    campaigns = Campaign.objects.filter(pk__in=runs.order_by().values("campaign")).only(
        "budget", "sender_id", "cost_per_message"
    )
    return Results(
        totals=sum(sums.values(), Totals()),
        roi=roi.combined(roi.of_campaigns(campaigns, sums).values()),
    )


def newest_campaigns() -> QuerySet[Campaign]:
    """Campaigns as people look for them: what is under way first, then the newest."""
    under_way = Q(state__in=[Campaign.State.RUNNING, Campaign.State.PAUSED])
    return Campaign.objects.order_by(Case(When(under_way, then=0), default=1), "-pk")


def campaign_rows(campaigns: Iterable[Campaign]) -> list[CampaignRow]:
    """These campaigns with their results; as many queries for one as for all."""
    shown = list(campaigns)
    runs = CampaignRun.objects.filter(campaign__in=shown)
    sums = metrics.totals_by_campaign(runs)
    returns = roi.of_campaigns(shown, sums)
    simulated = set(runs.filter(simulated=True).order_by().values_list("campaign", flat=True))
    return [
        CampaignRow(each, sums.get(each.pk, Totals()), returns[each.pk], each.pk in simulated)
        for each in shown
    ]


def runs_under_way() -> list[Underway]:
    runs = CampaignRun.objects.select_related("campaign").filter(
        state__in=["queued", "materialising", "sending", "paused"]
    )
    counts = done_and_sent(run.pk for run in runs)
    return [Underway(run, counts.get(run.pk, (0, 0))[0], run.audience) for run in runs]


def run_errors() -> list[Notice]:
    """Runs that cannot go on, or whose provider does not answer."""
    recent = timezone.now() - RECENT
    stopped = CampaignRun.objects.select_related("campaign").filter(
        Q(state__in=["queued", "materialising", "sending", "paused"])
        | Q(state=CampaignRun.State.FAILED, created_at__gte=recent)
    )
    return [Notice("error", run.campaign, detail=run.error) for run in stopped.exclude(error="")]


def overdue_campaigns() -> list[Notice]:
    """Campaigns whose time has come and that did not start: the clock stands still, or they cannot be sent."""
    late = Campaign.objects.filter(
        state=Campaign.State.SCHEDULED, next_run_at__lt=timezone.now() - OVERDUE
    )
    return [Notice("overdue", campaign) for campaign in late]


def unhappy_messages() -> list[Notice]:
    """Messages of the last runs that were refused for good, or of which nobody knows what became."""
    rows = (
        CampaignExecution.objects.filter(
            run__in=CampaignRun.objects.filter(created_at__gte=timezone.now() - RECENT).order_by(),
            state__in=[State.FAILED, State.UNCONFIRMED],
        )
        .order_by()
        .values_list("run__campaign", "state")
        .annotate(Count("pk"))
    )
    found = {(pk, state): number for pk, state, number in rows}
    campaigns = Campaign.objects.in_bulk({pk for pk, _state in found})
    return [
        Notice(state, campaigns[pk], number)
        for (pk, state), number in sorted(found.items(), reverse=True)
    ]
