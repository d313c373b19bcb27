"""Pages draw charts and list their numbers."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics.admin import charts
from analytics.metrics import Slot
from analytics.models import CampaignMetrics
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_run

pytestmark = pytest.mark.django_db


def test_the_dashboard_draws_its_charts(staff_client: Client) -> None:
    make_order(make_customer(), "12.50")
    page = staff_client.get(reverse("admin:index")).content.decode()
    for chart in ("revenue-by-month", "new-customers-by-month", "customers-by-lifecycle"):
        assert f'<figure id="{chart}" data-chart>' in page
    assert "$12.50</td>" in page
    assert page.count("data-chart-png") == page.count("data-chart-csv") == 3
    assert "Chart(" not in page


def test_a_campaign_draws_its_results_over_time(staff_client: Client) -> None:
    run = make_run(make_campaign())
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for hours_ago in (0, 1):
        CampaignMetrics.objects.create(run=run, hour=hour - timedelta(hours=hours_ago), sent=5)
    page = staff_client.get(
        reverse("admin:marketing_campaign_change", args=[run.campaign_id])
    ).content.decode()
    assert '<figure id="time-series" data-chart>' in page


@pytest.mark.parametrize(("last", "unfinished"), [((2026, 2, 27), True), ((2026, 2, 28), False)])
def test_the_current_month_is_drawn_as_preliminary(
    last: tuple[int, int, int], unfinished: bool
) -> None:
    chart = charts.revenue_by_month([], date(*last))
    assert chart.data["unfinished"] is unfinished


def test_each_series_describes_its_count() -> None:
    series = charts.revenue_by_month([], date(2026, 2, 28)).data["series"]
    assert [(each["label"], each["unit"]) for each in series] == [
        ("Revenue", "money"),
        ("Orders", "number"),
    ]


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (20, ["1 Mar", "2 Mar"]),
        (60, ["23 Feb", "2 Mar"]),
        (200, ["Mar 2026", "Apr 2026"]),
    ],
)
def test_many_days_are_drawn_by_the_week_or_the_month(days: int, labels: list[str]) -> None:
    first = datetime(2026, 3, 1, tzinfo=timezone.get_default_timezone())
    slots = [Slot(first + timedelta(days=each), sent=1) for each in range(days)]

    chart = charts.time_series(slots)

    assert chart.labels[:2] == labels
    assert sum(chart.series[0].values) == days


def test_former_addresses_of_pages_redirect(staff_client: Client) -> None:
    assert reverse("admin:analytics_customers") == "/admin/analytics/customers/"
    before = staff_client.get("/admin/analytics/campaignmetrics/customers/?days=90")
    assert before.status_code == 301
    assert before["Location"] == "/admin/analytics/customers/?days=90"
    experiment = staff_client.get("/admin/analytics/campaignmetrics/experiment/7/")
    assert experiment["Location"] == "/admin/analytics/experiment/7/"
