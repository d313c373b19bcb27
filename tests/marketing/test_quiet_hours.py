"""Messages wait until quiet hours end in the customer's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from marketing.campaigns import moves
from marketing.campaigns.audience import dry_run
from marketing.messages import due
from marketing.messages.due import QuietWindow
from marketing.models import CampaignExecution, QuietHours
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, take_snapshot

NIGHT = QuietWindow(time(21), time(8))
NOON_REST = QuietWindow(time(12), time(14))


@pytest.mark.parametrize(
    ("shown", "zone", "over"),
    [
        ("2026-03-10 20:59", "Europe/Berlin", None),
        ("2026-03-10 21:00", "Europe/Berlin", "2026-03-11 08:00"),
        ("2026-03-11 07:59", "Europe/Berlin", "2026-03-11 08:00"),
        ("2026-03-11 08:00", "Europe/Berlin", None),
        ("2026-03-11 13:30", "Asia/Tokyo", "2026-03-11 14:00"),
        ("2026-03-28 22:00", "Europe/Berlin", "2026-03-29 08:00"),  # clocks go forward that night
        ("2026-10-24 22:00", "Europe/Berlin", "2026-10-25 08:00"),  # and back that night
    ],
)
def test_quiet_hours_end_in_the_local_time_zone(shown: str, zone: str, over: str | None) -> None:
    now = datetime.fromisoformat(shown).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    found = due.quiet_until([NIGHT, NOON_REST], zone, now)
    expected = over and datetime.fromisoformat(over).replace(tzinfo=ZoneInfo(zone))
    assert found == expected


def test_a_skipped_end_moves_past_the_clock_change() -> None:
    now = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    found = due.quiet_until([QuietWindow(time(1), time(2, 30))], "Europe/Berlin", now)
    assert found == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_adjacent_quiet_hours_are_joined() -> None:
    spans = [
        QuietWindow(time(20), time(23)),
        QuietWindow(time(22), time(6)),
        QuietWindow(time(6), time(7)),
    ]
    found = due.quiet_until(spans, "UTC", datetime(2026, 5, 1, 20, 30, tzinfo=UTC))
    assert found == datetime(2026, 5, 2, 7, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["", "Mars/Phobos"])
def test_the_site_time_zone_is_the_default(zone: str, settings: Settings) -> None:
    settings.TIME_ZONE = "America/New_York"
    now = datetime(2026, 5, 2, 3, tzinfo=UTC)
    assert due.quiet_until([NIGHT], zone, now) == datetime(2026, 5, 2, 12, tzinfo=UTC)


TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(
    spans=st.lists(
        st.tuples(TIMES, TIMES)
        .filter(lambda pair: pair[0] != pair[1])
        .map(lambda p: QuietWindow(*p)),
        max_size=3,
    ),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    minutes=st.integers(0, 60 * 24 * 366),
)
def test_the_end_of_quiet_hours_lies_ahead(
    spans: list[QuietWindow], zone: str, minutes: int
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    found = due.quiet_until(spans, zone, now)
    shown = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    quiet_now = any(span.end_around(shown) for span in spans)
    if not quiet_now:
        assert found is None
    elif found is not None:
        assert now < found < now + timedelta(hours=50)


@pytest.mark.django_db
def test_a_snapshot_delays_messages_in_quiet_hours(settings: Settings) -> None:
    settings.TIME_ZONE = "UTC"
    now = datetime.now(UTC)
    QuietHours.objects.create(
        name="Now",
        starts_at=(now - timedelta(hours=1)).time(),
        ends_at=(now + timedelta(hours=2)).time(),
    )
    asleep, awake = make_customer(timezone="UTC"), make_customer(timezone="Asia/Kathmandu")
    unknown = make_customer(timezone="nowhere")
    campaign = make_campaign()
    assert dry_run(campaign).delayed == 2

    run = moves.launch(campaign)
    take_snapshot(run)

    waits = dict(run.executions.values_list("customer_id", "next_attempt_at"))
    assert waits[awake.pk] is None
    assert waits[asleep.pk] == waits[unknown.pk]
    assert timedelta(hours=1) < waits[asleep.pk] - now <= timedelta(hours=2)
    assert set(run.executions.values_list("state", flat=True)) == {"pending"}


@pytest.mark.django_db
def test_quiet_hours_apply_by_channel_and_exemption() -> None:
    make_customer()
    times = {"starts_at": time(0), "ends_at": time(23, 59, 59)}
    QuietHours.objects.create(name="Calls", channel="sms", **times)
    QuietHours.objects.create(name="Off", active=False, **times)
    assert dry_run(make_campaign()).delayed == 0

    QuietHours.objects.create(name="Mail", channel="email", **times)
    assert dry_run(make_campaign()).delayed == 1
    assert dry_run(make_campaign(exempt_from_quiet_hours=True)).delayed == 0
    assert not CampaignExecution.objects.exists()
