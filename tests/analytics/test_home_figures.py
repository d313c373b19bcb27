"""The home page compares figures of a date range with other days and shows their time series."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics.admin.date_range import Compare, DateRange
from analytics.headlines import campaign_figures, customer_figures
from analytics.models import CampaignMetrics
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_run

pytestmark = pytest.mark.django_db

HOME = reverse("admin:index")
DAYS = "since=2026-03-01&until=2026-03-10"


def at(month: int, day: int, year: int = 2026) -> datetime:
    return datetime(year, month, day, 12, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def shop(db: None) -> None:
    """Create revenue of 300 in March, 200 in the ten days before, 100 in the March before, with as many messages and opens."""
    ada = make_customer(registered_at=at(1, 1, 2025))
    for amount, placed_at in ((300, at(3, 4)), (200, at(2, 25)), (100, at(3, 4, 2025))):
        make_order(ada, amount, placed_at)
        CampaignMetrics.objects.create(
            run=make_run(make_campaign()), hour=placed_at, sent=amount, opened=amount // 2
        )


@pytest.mark.parametrize(
    ("compare", "changes", "previous"),
    [
        ("before", "50.0%", "$200.00 (previous period)"),
        ("year", "200.0%", "$100.00 (previous year)"),
    ],
)
def test_figures_are_compared_with_other_days(
    staff_client: Client, shop: None, compare: str, changes: str, previous: str
) -> None:
    page = staff_client.get(f"{HOME}?{DAYS}&compare={compare}").content.decode()

    assert "$300.00" in page
    assert changes in page
    assert previous in page
    assert f'<option value="{compare}" selected>' in page


def test_no_comparison_shows_no_change(staff_client: Client, shop: None) -> None:
    page = staff_client.get(f"{HOME}?{DAYS}&compare=none").content.decode()
    assert "$300.00" in page
    assert 'class="change' not in page


@pytest.mark.parametrize("query", ["compare=magic", "days=0", "since=x", "days=99999"])
def test_an_invalid_range_is_ignored(staff_client: Client, shop: None, query: str) -> None:
    assert staff_client.get(f"{HOME}?{query}").status_code == 200


def test_every_tile_has_a_time_series(staff_client: Client, shop: None) -> None:
    make_customer(registered_at=at(3, 5))
    run = make_run(make_campaign())
    CampaignMetrics.objects.create(run=run, hour=at(3, 5), sent=9, clicked=3, converted=1)

    page = staff_client.get(f"{HOME}?{DAYS}").content.decode()

    for name in ("Customers", "Revenue", "Orders", "Messages sent", "Open rate", "Click rate", "Conversions"):  # fmt: skip
        tile = page.split(f'<dt class="tile-name">{name}')[1].split("</div>")[0]
        assert "tile-spark" in tile, name


def test_time_series_add_up_to_the_totals(shop: None) -> None:
    first, last = at(3, 1).date(), at(3, 10).date()
    found, sent = customer_figures(first, last), campaign_figures(first, last, simulated=False)

    assert len(found.period.by_day) == len(found.new_by_day) == len(sent.by_day["sent"]) == 10
    assert sum(found.period.by_day) == found.period.now.revenue == 300
    assert sum(sent.by_day["sent"]) == sent.totals.sent == 300
    assert sent.by_day["open_rate"][3] == 5_000


def test_real_figures_exclude_simulated_campaigns(shop: None) -> None:
    run = make_run(make_campaign(), simulated=True)
    CampaignMetrics.objects.create(run=run, hour=at(3, 4), sent=77)
    first, last = at(3, 1).date(), at(3, 10).date()

    assert campaign_figures(first, last, simulated=False).totals.sent == 300
    assert campaign_figures(first, last, simulated=True).by_day["sent"][3] == 77


def test_the_year_before_29_february_is_28_february() -> None:
    leap = datetime(2024, 2, 29, tzinfo=timezone.get_default_timezone()).date()
    date_range = DateRange(leap - timedelta(days=1), leap, leap, [])
    assert date_range.compared(Compare.YEAR) == (leap.replace(year=2023, day=28),) * 2
