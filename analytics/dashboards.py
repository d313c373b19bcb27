"""The contents of the home and customers dashboards, the same for the admin and the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Case, Count, Q, QuerySet, When
from django.utils import timezone

from analytics import commerce, people
from analytics.background_cache import cached
from analytics.commerce import Category, Cohort, Period, Satisfaction
from analytics.days import RECENT, as_of
from analytics.headlines import (
    PERIOD_DAYS,
    CampaignFigures,
    CustomerFigures,
    campaign_figures,
    customer_figures,
)
from analytics.people import ChurnRisk, Rfm
from analytics.performance import CampaignRow, campaign_rows
from customers.models import Segment
from marketing.models import Campaign, CampaignExecution, CampaignRun
from marketing.sending import done_and_sent

FRESH_FOR = timedelta(minutes=1)
SHOWN_CAMPAIGNS = 8
SHOWN_SEGMENTS = 8
OVERDUE_AFTER = timedelta(minutes=2)
UNDER_WAY = ("queued", "materialising", "sending", "paused")

State = CampaignExecution.State


@dataclass(frozen=True, slots=True)
class RunProgress:
    """An unfinished run, and how many of its messages are final."""

    run: CampaignRun
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A problem that needs attention: `kind` is failed, unconfirmed, error or overdue."""

    kind: str
    campaign: Campaign
    number: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HomeDashboard:
    customers: CustomerFigures
    real: CampaignFigures
    simulated: CampaignFigures
    campaigns: list[CampaignRow]
    segments: list[Segment]
    under_way: list[RunProgress]
    notices: list[Notice]

    @property
    def is_empty(self) -> bool:
        return not self.customers.number and not self.campaigns


@dataclass(frozen=True, slots=True)
class CustomersDashboard:
    """Figures of the days and of as many days before; cohorts up to the last day; scores and risks as of now."""

    figures: CustomerFigures
    figures_before: CustomerFigures
    cohorts: list[Cohort]
    categories: list[Category]
    satisfaction: Satisfaction
    rfm: Rfm
    churn: ChurnRisk

    @property
    def period(self) -> Period:
        return self.figures.period


def home_dashboard() -> HomeDashboard:
    """Return the home dashboard as of now; its customers and sales may be a minute old."""
    last = as_of()
    return HomeDashboard(
        customers=customer_figures(last - timedelta(days=PERIOD_DAYS - 1), last),
        real=campaign_figures(simulated=False),
        simulated=campaign_figures(simulated=True),
        campaigns=campaign_rows(_newest_campaigns()[:SHOWN_CAMPAIGNS]),
        segments=list(Segment.objects.order_by("-size", "name")[:SHOWN_SEGMENTS]),
        under_way=_runs_under_way(),
        notices=[*run_errors(), *_overdue_campaigns(), *_failed_and_unconfirmed()],
    )


@cached(FRESH_FOR)
def customers_dashboard(first: date, last: date) -> CustomersDashboard:
    """Return the customers dashboard for the days from `first` to `last`, all of one moment."""
    days = timedelta(days=(last - first).days + 1)
    # computed with the rest, and cached for the home page, which shows the same figures
    return CustomersDashboard(
        figures=customer_figures.refresh(first, last),
        figures_before=customer_figures.refresh(first - days, first - timedelta(days=1)),
        cohorts=commerce.cohorts(last),
        categories=commerce.categories(first, last),
        satisfaction=commerce.satisfaction(first, last),
        rfm=people.rfm_summary(),
        churn=people.churn_risk(),
    )


def run_errors() -> list[Notice]:
    """Return a notice for each run that failed, or whose provider is unreachable."""
    stopped = CampaignRun.objects.select_related("campaign").filter(
        Q(state__in=UNDER_WAY)
        | Q(state=CampaignRun.State.FAILED, created_at__gte=timezone.now() - RECENT)
    )
    return [Notice("error", run.campaign, detail=run.error) for run in stopped.exclude(error="")]


def _newest_campaigns() -> QuerySet[Campaign]:
    """Return campaigns under way first, then the newest."""
    under_way = Q(state__in=[Campaign.State.RUNNING, Campaign.State.PAUSED])
    return Campaign.objects.order_by(Case(When(under_way, then=0), default=1), "-pk")


def _runs_under_way() -> list[RunProgress]:
    runs = CampaignRun.objects.select_related("campaign").filter(state__in=UNDER_WAY)
    counts = done_and_sent(run.pk for run in runs)
    return [RunProgress(run, counts.get(run.pk, (0, 0))[0], run.audience) for run in runs]


def _overdue_campaigns() -> list[Notice]:
    """Return a notice for each campaign that did not start on time: the scheduler is down, or it cannot be sent."""
    overdue = Campaign.objects.filter(
        state=Campaign.State.SCHEDULED, next_run_at__lt=timezone.now() - OVERDUE_AFTER
    )
    return [Notice("overdue", campaign) for campaign in overdue]


def _failed_and_unconfirmed() -> list[Notice]:
    """Return a notice for each campaign with failed or unconfirmed messages in its recent runs."""
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
