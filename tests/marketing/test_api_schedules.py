"""The API accepts schedules and returns the next runs."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from customers.models import Segment
from marketing.campaigns import moves
from marketing.models import Campaign
from tests.factories.marketing import EVERYONE, make_campaign

pytestmark = pytest.mark.django_db

NEWS = {
    "name": "Weekly Tech News",
    "type": "recurring",
    "schedule_time": "2027-02-01T10:00:00",
    "message": "Stay updated!",
    "target_segment": "tech",
    "frequency": "weekly",
    "interval": 1,
}


@pytest.fixture(autouse=True)
def tech() -> Segment:
    return Segment.objects.create(name="Tech", slug="tech")


def post(api: APIClient, **given: Any) -> Any:
    return api.post("/api/campaigns/", {**NEWS, **given})


def test_a_weekly_campaign_is_scheduled_with_its_next_times(api: APIClient) -> None:
    answer = post(api, schedule_time="2087-02-03T10:00:00")
    assert answer.status_code == 201, answer.data
    assert (answer.data["status"], answer.data["segments"]) == ("scheduled", ["tech"])
    assert answer.data["next_runs"] == [
        f"2087-{day}T10:00:00+00:00" for day in ("02-03", "02-10", "02-17", "02-24", "03-03")
    ]


def test_next_runs_use_the_campaign_time_zone(api: APIClient) -> None:
    answer = post(
        api,
        schedule_time="2090-03-25T02:30:00",
        timezone="Europe/Berlin",
        frequency="daily",
        max_runs=3,
    )
    assert answer.data["next_runs"] == [
        "2090-03-25T02:30:00+01:00",
        "2090-03-26T03:00:00+02:00",
        "2090-03-27T02:30:00+02:00",
    ]


def test_a_skipped_first_time_does_not_change_later_days(api: APIClient) -> None:
    answer = post(
        api, schedule_time="2090-03-26T02:30:00", timezone="Europe/Berlin", frequency="daily"
    )
    assert answer.data["next_runs"][:2] == [
        "2090-03-26T03:00:00+02:00",
        "2090-03-27T02:30:00+02:00",
    ]


def test_weekdays_accept_any_english_name(api: APIClient) -> None:
    answer = post(api, weekdays=["Monday", "thu"])
    assert answer.data["weekdays"] == ["mon", "thu"]


def test_a_frequency_alone_makes_a_campaign_recurring(api: APIClient) -> None:
    given = {name: value for name, value in NEWS.items() if name != "type"}
    answer = api.post("/api/campaigns/", given)
    assert answer.data["type"] == "recurring"


def test_a_one_time_campaign_accepts_nulls(api: APIClient) -> None:
    answer = post(api, type="one_time", frequency=None, interval=None, ends_at=None, max_runs=None)
    assert answer.status_code == 201, answer.data
    assert answer.data["next_runs"] == ["2027-02-01T10:00:00+00:00"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"frequency": None}, "frequency"),
        ({"frequency": "yearly"}, "frequency"),
        ({"type": "one_time"}, "frequency"),
        ({"frequency": "secondly", "interval": 9}, "interval"),
        ({"interval": 0}, "interval"),
        ({"interval": 10**9}, "interval"),
        ({"frequency": "daily", "weekdays": ["mon"]}, "weekdays"),
        ({"weekdays": ["someday"]}, "weekdays[0]"),
        ({"day_of_month": 3}, "day_of_month"),
        ({"frequency": "monthly", "day_of_month": 32}, "day_of_month"),
        ({"frequency": "monthly", "day_of_month": 0}, "day_of_month"),
        ({"frequency": "hourly", "local_time": True}, "local_time"),
        ({"ends_at": "2026-01-01T00:00:00"}, "ends_at"),
        ({"ends_at": "9999-12-31T23:59:59Z"}, "ends_at"),
        ({"schedule_time": "9999-12-31T23:59:59"}, "schedule_time"),
        ({"max_runs": 0}, "max_runs"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
    ],
)
def test_an_invalid_schedule_is_refused_at_its_field(
    api: APIClient, given: dict[str, Any], field: str
) -> None:
    answer = post(api, **given)
    assert answer.status_code == 400, answer.data
    assert [error["path"] for error in answer.data["errors"]] == [field]
    assert not Campaign.objects.exists()


def test_a_new_frequency_reschedules_the_campaign(api: APIClient) -> None:
    made = post(api, schedule_time="2087-02-03T10:00:00").data
    url = f"/api/campaigns/{made['id']}/"
    answer = api.patch(url, {"frequency": "monthly", "day_of_month": 31})
    assert answer.status_code == 200, answer.data
    assert answer.data["next_runs"][0] == "2087-02-28T10:00:00+00:00"
    campaign = Campaign.objects.get()
    assert campaign.schedule.crontab.day_of_month == "28-31"
    assert campaign.next_run_at.day == 28


def test_a_partial_change_keeps_the_rest_of_the_schedule(api: APIClient) -> None:
    made = post(api, schedule_time="2087-02-03T10:00:00", interval=2).data
    answer = api.patch(f"/api/campaigns/{made['id']}/", {"weekdays": ["fri"]})
    assert answer.data["next_runs"][:2] == [
        "2087-02-07T10:00:00+00:00",
        "2087-02-21T10:00:00+00:00",
    ]


def test_a_recurring_campaign_pauses_and_resumes(api: APIClient) -> None:
    made = post(api).data
    url = f"/api/campaigns/{made['id']}/"
    assert api.post(url + "pause/").data["status"] == "paused"
    assert api.put(url + "status/", {"status": "scheduled"}).data["status"] == "scheduled"
    assert (
        api.patch(url + "reschedule/", {"schedule_time": "2027-03-01T10:00:00"})
        .data["next_runs"][0]
        .startswith("2027-03-01T10:00")
    )


def test_a_one_time_campaign_cannot_pause_before_its_run(api: APIClient) -> None:
    made = post(api, type="one_time", frequency="").data
    answer = api.post(f"/api/campaigns/{made['id']}/pause/")
    assert answer.status_code == 409
    assert "paused" not in answer.data["possible"]


def test_runs_return_their_due_time_and_missed_count(api: APIClient) -> None:
    campaign = make_campaign(rules=EVERYONE, type="recurring", frequency="hourly")
    made = api.patch(
        f"/api/campaigns/{api.get('/api/campaigns/').data['results'][0]['id']}/",
        {"schedule_time": "2087-02-03T10:00:00"},
    ).data
    campaign.refresh_from_db()
    moves.launch_if_due(campaign.pk, now=campaign.next_run_at.replace(hour=13, minute=5))
    (run,) = api.get(f"/api/campaigns/{made['id']}/runs/").data["results"]
    assert (run["due_at"], run["missed"]) == ("2087-02-03T13:00:00Z", 3)
