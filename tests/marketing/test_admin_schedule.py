"""The admin edits the schedule of a campaign and streams its progress."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.api import event_stream
from marketing.campaigns import moves
from marketing.models import Campaign
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run
from tests.marketing.test_admin_campaign import admin_url, form

pytestmark = pytest.mark.django_db

ADD = reverse("admin:marketing_campaign_add")
NEXT_RUNS = reverse("admin:marketing_campaign_next_runs")
WEEKLY = {
    "type": "recurring",
    "frequency": "weekly",
    "weekdays": ["mon", "fri"],
    "scheduled_at_0": "2090-03-20",
    "scheduled_at_1": "02:30",
    "timezone": "Europe/Berlin",
}


def test_the_form_saves_a_recurring_schedule(staff_client: Client) -> None:
    given = form(**WEEKLY, ends_at_0="2090-12-31", ends_at_1="12:00", max_runs=10)
    response = staff_client.post(ADD, given)
    assert response.status_code == 302, response.context["adminform"].form.errors
    campaign = Campaign.objects.get()
    assert (campaign.frequency, campaign.weekdays, campaign.max_runs) == (
        "weekly",
        ["mon", "fri"],
        10,
    )
    assert campaign.ends_at == datetime(2090, 12, 31, 11, tzinfo=UTC)


def test_values_of_hidden_fields_are_ignored(staff_client: Client) -> None:
    given = {**WEEKLY, "type": "one_time", "day_of_month": "3", "max_runs": "4"}
    staff_client.post(ADD, form(**given))
    campaign = Campaign.objects.get()
    assert (campaign.frequency, campaign.weekdays, campaign.day_of_month, campaign.max_runs) == (
        "",
        [],
        None,
        None,
    )


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"type": "recurring"}, "frequency"),
        ({"type": "recurring", "frequency": "secondly", "interval": 5}, "interval"),
        ({**WEEKLY, "ends_at_0": "2080-01-01", "ends_at_1": "10:00"}, "ends_at"),
        ({"scheduled_at_0": "2090-01-01"}, "scheduled_at"),
    ],
)
def test_an_invalid_schedule_is_reported_at_its_field(
    staff_client: Client, given: dict[str, object], field: str
) -> None:
    response = staff_client.post(ADD, form(**given))
    assert list(response.context["adminform"].form.errors) == [field]


def test_the_next_runs_follow_the_form_values(staff_client: Client) -> None:
    text = staff_client.get(NEXT_RUNS, {**WEEKLY, "interval": 1, "campaign": ""}).content.decode()
    days = ["Mon 20 Mar", "Fri 24 Mar", "Mon 27 Mar", "Fri 31 Mar", "Mon 3 Apr"]
    assert [day in text for day in days] == [True] * 5
    assert "Europe/Berlin" in text

    text = staff_client.get(NEXT_RUNS, {**WEEKLY, "interval": 1, "frequency": ""}).content.decode()
    assert "Choose how often" in text
    assert not Campaign.objects.exists()


def test_a_new_recurrence_reschedules_the_campaign(staff_client: Client) -> None:
    campaign = make_campaign()
    moves.schedule_launch(campaign, at=datetime(2090, 3, 20, 9, tzinfo=UTC), by=None)
    given = form(campaign, type="recurring", frequency="daily", interval=2)
    staff_client.post(admin_url(campaign), given)
    campaign.refresh_from_db()
    assert campaign.schedule.crontab.hour == "9"


def test_the_button_pauses_a_campaign_between_runs(staff_client: Client) -> None:
    campaign = make_campaign(type="recurring", frequency="daily")
    moves.schedule_launch(campaign, at=datetime(2090, 3, 20, 9, tzinfo=UTC), by=None)
    assert admin_url(campaign, "pause") in staff_client.get(admin_url(campaign)).content.decode()
    staff_client.post(admin_url(campaign, "pause"), {"confirmed": "yes"})
    campaign.refresh_from_db()
    assert campaign.state == "paused"


def test_the_page_streams_metrics_until_the_state_changes(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make_campaign(state="running")
    run = make_run(campaign, missed=3, due_at=timezone.now() - timedelta(days=1))
    make_execution(run, make_customer(), state="failed", error_kind="blocked")
    later = timezone.now() + timedelta(hours=3)
    make_execution(run, make_customer(), next_attempt_at=later)

    def pause(seconds: float) -> None:
        Campaign.objects.update(state="paused")

    monkeypatch.setattr(event_stream.time, "sleep", pause)
    answer = staff_client.get(admin_url(campaign, "stream"))
    assert answer.headers["Content-Type"] == "text/event-stream"
    text = b"".join(answer.streaming_content).decode()

    assert [line for line in text.splitlines() if line.startswith("event")] == [
        "event: figures",
        "event: moved",
    ]
    assert "Blocked by the recipient" in text
    assert "3 earlier runs were missed" in text
    assert "started late" in text
    assert "the next message is due" in text
    assert f'action="{admin_url(campaign, "pause")}"' in text


def test_a_recurring_campaign_lists_its_earlier_runs(staff_client: Client) -> None:
    campaign = make_campaign(state="scheduled", scheduled_at=timezone.now() + timedelta(days=1))
    first = make_run(campaign, state="finished")
    make_execution(first, make_customer(), state="sent")
    make_run(campaign, state="finished")
    text = staff_client.get(admin_url(campaign)).content.decode()
    assert "Earlier runs" in text
    assert f"run__id__exact={first.pk}" in text
    assert "1 sent" in text


def test_a_completed_campaign_opens_no_stream(staff_client: Client) -> None:
    campaign = make_campaign(state="completed")
    make_run(campaign, state="finished")
    assert "data-stream" not in staff_client.get(admin_url(campaign)).content.decode()
