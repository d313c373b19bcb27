"""A recurring campaign starts at most one run for each scheduled time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from customers.models import Customer
from marketing.campaigns import moves, runs
from marketing.campaigns.moves import ImpossibleMove, NotReady
from marketing.messages import batches
from marketing.models import Campaign, CampaignRun
from marketing.schedule import campaign_times
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign

pytestmark = pytest.mark.django_db

TEN = datetime(2090, 2, 1, 10, tzinfo=UTC)


def recurring(frequency: str = "daily", *, at: datetime | None = TEN, **fields: Any) -> Campaign:
    campaign = make_campaign(type="recurring", frequency=frequency, **fields)
    return moves.schedule_launch(campaign, at=at, by=None) if at else campaign


def finish_run(run: CampaignRun) -> Campaign:
    while runs.fill(run):
        pass
    run.executions.update(state="sent")
    assert batches.finish(CampaignRun.objects.get(pk=run.pk))
    return Campaign.objects.get(pk=run.campaign_id)


def start(campaign: Campaign, at: datetime) -> CampaignRun:
    run = moves.launch_if_due(campaign.pk, now=at)
    assert run is not None
    return run


@pytest.mark.parametrize(
    ("frequency", "fields", "cron"),
    [
        ("daily", {"interval": 3}, ("0", "10", "*", "*")),
        ("weekly", {}, ("0", "10", "3", "*")),
        ("weekly", {"weekdays": ["sun", "mon"]}, ("0", "10", "1,0", "*")),
        ("monthly", {"day_of_month": 31}, ("0", "10", "*", "28-31")),
        ("monthly", {}, ("0", "10", "*", "1")),
    ],
)
def test_days_weeks_and_months_become_a_crontab(
    frequency: str, fields: dict[str, Any], cron: tuple[str, ...]
) -> None:
    at = datetime(2090, 2, 1, 9, tzinfo=UTC)
    entry = recurring(frequency, at=at, timezone="Europe/Berlin", **fields).schedule
    found = entry.crontab
    assert (found.minute, found.hour, found.day_of_week, found.day_of_month) == cron
    assert str(found.timezone) == "Europe/Berlin"
    assert entry.start_time == Campaign.objects.get().next_run_at
    assert not entry.one_off


@pytest.mark.parametrize(
    ("frequency", "interval", "period"), [("secondly", 10, "seconds"), ("hourly", 6, "hours")]
)
def test_seconds_and_hours_are_an_interval(frequency: str, interval: int, period: str) -> None:
    entry = recurring(frequency, interval=interval).schedule
    assert (entry.interval.every, entry.interval.period) == (interval, period)


def test_a_finished_run_schedules_the_next_one() -> None:
    campaign = recurring()
    assert moves.launch_if_due(campaign.pk, now=TEN - timedelta(seconds=1)) is None

    run = start(campaign, TEN)
    assert (run.due_at, run.missed) == (TEN, 0)
    campaign = finish_run(run)

    assert campaign.state == "scheduled"
    assert campaign.next_run_at == TEN
    assert campaign.schedule is not None


def test_concurrent_schedulers_start_one_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign = recurring(at=timezone.now() - timedelta(days=2))
    Campaign.objects.update(next_run_at=timezone.now() - timedelta(seconds=1))
    stale = Campaign.objects.get()
    finish_run(start(campaign, timezone.now()))

    with pytest.raises(ImpossibleMove):
        runs.start(stale, due_at=stale.next_run_at)
    assert CampaignRun.objects.count() == 1


def test_missed_runs_are_caught_up_by_one_run() -> None:
    campaign = recurring("hourly")
    run = start(campaign, TEN + timedelta(hours=24, minutes=5))
    assert (run.due_at, run.missed) == (TEN + timedelta(hours=24), 24)


def test_an_interval_skips_the_days_between() -> None:
    campaign = recurring(interval=3)
    assert campaign_times.next_runs(campaign) == [
        TEN + timedelta(days=3 * number) for number in range(5)
    ]


def test_a_campaign_completes_after_its_maximum_of_runs() -> None:
    campaign = recurring(at=timezone.now() - timedelta(days=9, hours=1), max_runs=2)
    for state in ("scheduled", "completed"):
        assert (
            len(campaign_times.next_runs(Campaign.objects.get())) == 2 - CampaignRun.objects.count()
        )
        Campaign.objects.update(
            next_run_at=timezone.now() - timedelta(days=CampaignRun.objects.count() + 1)
        )
        campaign = finish_run(start(campaign, timezone.now()))
        CampaignRun.objects.update(due_at=None)
        assert campaign.state == state
    assert not PeriodicTask.objects.filter(name__startswith="campaign").exists()
    assert not CrontabSchedule.objects.filter(hour="10", minute="0").exists()


def test_a_campaign_completes_after_its_end() -> None:
    now = timezone.now()
    campaign = recurring(at=now - timedelta(days=1, minutes=-1), ends_at=now + timedelta(hours=1))
    assert finish_run(start(campaign, now + timedelta(minutes=2))).state == "scheduled"

    Campaign.objects.update(ends_at=now - timedelta(minutes=1))
    CampaignRun.objects.update(due_at=None)
    assert finish_run(start(campaign, now + timedelta(days=2))).state == "completed"


def test_a_schedule_that_has_ended_is_refused() -> None:
    with pytest.raises(NotReady, match="schedule has ended"):
        recurring(ends_at=timezone.now() - timedelta(days=1), at=timezone.now() - timedelta(days=9))


def test_a_campaign_pauses_and_resumes_between_runs() -> None:
    campaign = recurring(at=timezone.now() - timedelta(days=30))
    moves.pause(campaign)
    assert campaign.state == "paused"
    assert not PeriodicTask.objects.filter(name__startswith="campaign").exists()
    assert moves.launch_if_due(campaign.pk, now=timezone.now() + timedelta(days=9)) is None

    moves.resume(campaign)
    assert campaign.state == "scheduled"
    assert campaign.next_run_at > timezone.now()
    assert campaign.schedule is not None


def test_a_campaign_resumes_its_paused_run() -> None:
    campaign = recurring()
    start(campaign, TEN)
    campaign = Campaign.objects.get()
    moves.pause(campaign)
    moves.resume(campaign)
    assert campaign.state == "running"


def test_a_start_without_recipients_is_a_failed_run() -> None:
    customer = make_customer(email=None, external_id="a")
    campaign = recurring()
    assert moves.launch_if_due(campaign.pk, now=TEN) is None
    failed = campaign.runs.get()
    told = "The only customer of the audience would be skipped: no address."
    assert (failed.state, failed.error, failed.due_at) == ("failed", told, TEN)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.next_run_at) == ("scheduled", TEN + timedelta(days=1))
    assert moves.launch_if_due(campaign.pk, now=TEN) is None
    Customer.objects.filter(pk=customer.pk).update(email="a@example.com")
    assert start(campaign, TEN + timedelta(days=1)).number == 2

    Customer.objects.update(email=None)
    once = make_campaign()
    moves.schedule_launch(once, at=TEN, by=None)
    assert moves.launch_if_due(once.pk, now=TEN) is None
    once.refresh_from_db()
    assert (once.state, once.next_run_at, once.schedule) == ("cancelled", None, None)
    assert once.runs.get().state == "failed"


def test_send_now_keeps_the_schedule() -> None:
    campaign = recurring()
    run = moves.launch(campaign)
    assert run.due_at is None
    campaign = finish_run(run)
    assert (campaign.state, campaign.next_run_at) == ("scheduled", TEN)


def test_sending_a_draft_starts_its_recurrence_now() -> None:
    campaign = finish_run(moves.launch(recurring(at=None)))
    assert campaign.state == "scheduled"
    assert timedelta(hours=23) < campaign.next_run_at - timezone.now() < timedelta(hours=25)


def test_a_new_start_moves_all_later_runs() -> None:
    campaign = recurring()
    moves.schedule_launch(campaign, at=TEN + timedelta(hours=5), by=None)
    assert campaign_times.next_runs(campaign)[1] == TEN + timedelta(days=1, hours=5)
    assert PeriodicTask.objects.get(name__startswith="campaign").crontab.hour == "15"
    assert CrontabSchedule.objects.filter(minute="0", hour="10").count() == 0


def test_a_campaign_can_end_between_runs() -> None:
    campaign = recurring()
    campaign.launched_at = timezone.now()
    moves.complete(campaign)
    assert (campaign.state, campaign.next_run_at) == ("completed", None)
    assert not PeriodicTask.objects.filter(name__startswith="campaign").exists()


def test_campaigns_share_an_interval_row() -> None:
    first, second = recurring("hourly"), recurring("hourly")
    moves.cancel(first)
    assert IntervalSchedule.objects.filter(every=1, period="hours").count() == 1
    moves.cancel(second)
    assert not IntervalSchedule.objects.filter(every=1, period="hours").exists()


def test_messages_wait_for_the_customers_local_time() -> None:
    for name, zone in {
        "tokyo": "Asia/Tokyo",
        "new-york": "America/New_York",
        "nowhere": "Mars/Olympus",
        "unknown": "",
    }.items():
        make_customer(email=f"{name}@example.com", timezone=zone)
    at = datetime(2090, 7, 3, 7, tzinfo=UTC)  # 9:00 in Berlin
    campaign = recurring(at=at, timezone="Europe/Berlin", local_time=True)
    assert campaign_times.next_runs(campaign)[0] == at

    begins = datetime(2090, 7, 2, 19, tzinfo=UTC)  # 9:00 in UTC+14
    assert campaign.next_run_at == begins
    run = start(campaign, begins)
    while runs.fill(run):
        pass

    due = dict(run.executions.values_list("address", "next_attempt_at"))
    assert due == {
        "tokyo@example.com": datetime(2090, 7, 3, 0, tzinfo=UTC),
        "new-york@example.com": datetime(2090, 7, 3, 13, tzinfo=UTC),
        "nowhere@example.com": at,
        "unknown@example.com": at,
    }


def test_a_past_local_time_is_refused() -> None:
    campaign = make_campaign(local_time=True)
    with pytest.raises(NotReady, match="somewhere in the world"):
        moves.schedule_launch(campaign, at=timezone.now() + timedelta(hours=1), by=None)
    moves.schedule_launch(campaign, at=TEN, by=None)
    assert campaign.next_run_at == TEN - timedelta(hours=14)
    assert campaign.schedule.clocked.clocked_time == TEN - timedelta(hours=14)
