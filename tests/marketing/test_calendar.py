"""The calendar shows past and scheduled runs of a month."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from marketing.campaigns import moves
from marketing.models import CampaignRun
from marketing.schedule import calendar
from tests.factories.marketing import make_campaign, make_run
from tests.marketing.queries import marketing_queries

pytestmark = pytest.mark.django_db

URL = reverse("admin:marketing_campaign_calendar")
FIRST, LAST = date(2090, 2, 1), date(2090, 2, 28)
BEFORE = datetime(2090, 1, 31, 12, tzinfo=UTC)


def scheduled(at: datetime, **fields: object):
    return moves.schedule_launch(make_campaign(**fields), at=at, by=None)


def days(**more: datetime) -> dict[int, list[calendar.Entry]]:
    found = calendar.calendar_entries(FIRST, LAST, now=more.get("now", BEFORE))
    return {day.day: those for day, those in found.items()}


def test_scheduled_runs_appear_on_their_days_in_order() -> None:
    weekly = scheduled(
        datetime(2090, 2, 6, 10, tzinfo=UTC), type="recurring", frequency="weekly", interval=2
    )
    once = scheduled(datetime(2090, 2, 6, 9, tzinfo=UTC))
    found = days()
    assert {day: [entry.campaign for entry in those] for day, those in found.items()} == {
        6: [once, weekly],
        20: [weekly],
    }


def test_past_days_show_only_runs() -> None:
    campaign = scheduled(datetime(2090, 2, 1, 10, tzinfo=UTC), type="recurring", frequency="daily")
    run = make_run(campaign, state="finished")
    CampaignRun.objects.filter(pk=run.pk).update(created_at=datetime(2090, 2, 1, 10, tzinfo=UTC))
    found = days(now=datetime(2090, 2, 26, 12, tzinfo=UTC))
    assert {day: [entry.past for entry in those] for day, those in found.items()} == {
        1: [True],
        27: [False],
        28: [False],
    }


def test_frequent_runs_share_one_entry_a_day() -> None:
    scheduled(
        datetime(2090, 2, 27, 23, tzinfo=UTC), type="recurring", frequency="secondly", interval=10
    )
    found = days()
    assert {day: [entry.times for entry in those] for day, those in found.items()} == {
        27: [None],
        28: [None],
    }
    assert found[28][0].at == datetime(2090, 2, 28, tzinfo=UTC)


def test_the_month_page_links_to_its_campaigns(staff_client: Client) -> None:
    scheduled(
        datetime(2090, 2, 6, 10, tzinfo=UTC),
        name="Winter news",
        type="recurring",
        frequency="hourly",
        interval=6,
        ends_at=datetime(2090, 2, 6, 23, tzinfo=UTC),
    )
    text = staff_client.get(URL, {"month": "2090-02"}).content.decode()
    assert text.count("Winter news") == 2  # its name, and its title
    assert "every 6 hours" in text
    assert "?month=2090-01" in text
    assert "?month=2090-03" in text


@pytest.mark.parametrize("month", ["", "never", "2090-13", "0001-01", "9999-12"])
def test_an_invalid_month_shows_the_current_month(staff_client: Client, month: str) -> None:
    response = staff_client.get(URL, {"month": month})
    assert response.status_code == 200
    assert "No campaign ran in this month" in response.content.decode()


def test_a_fuller_month_needs_no_more_queries(staff_client: Client) -> None:
    for number in range(5):
        scheduled(datetime(2090, 2, 6 + number, 10, tzinfo=UTC))
        make_run(state="finished")
    assert len(marketing_queries(lambda: calendar.calendar_entries(FIRST, LAST, now=BEFORE))) <= 3
