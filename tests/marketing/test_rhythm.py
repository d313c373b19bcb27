# ruff: noqa: E501  (a case is a line)
"""A recurrence has the expected times across clock changes, short months and downtime.

The expected times are written by hand from the rules of the zones: Berlin goes forward on 28 March 2027 and back on 31 October, New York on
14 March and 7 November, and Lord Howe by half an hour, back on 4 April and forward on 3 October.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import DAILY, MO, MONTHLY, WEEKLY, rrule
from hypothesis import given
from hypothesis import strategies as st

from marketing.schedule.rhythm import Rhythm

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
MINUTE = timedelta(minutes=1)

TIMES = [
    (BERLIN, "daily", {}, "2027-03-27T09:00+01:00 2027-03-28T09:00+02:00 2027-03-29T09:00+02:00"),
    (BERLIN, "daily", {}, "2027-03-27T02:30+01:00 2027-03-28T03:00+02:00 2027-03-29T02:30+02:00"),
    (BERLIN, "daily", {}, "2027-03-27T02:00+01:00 2027-03-28T03:00+02:00 2027-03-29T02:00+02:00"),
    (BERLIN, "daily", {}, "2027-03-27T03:00+01:00 2027-03-28T03:00+02:00 2027-03-29T03:00+02:00"),
    (BERLIN, "daily", {}, "2027-03-28T01:59+01:00 2027-03-29T01:59+02:00"),
    (BERLIN, "daily", {}, "2027-10-30T02:30+02:00 2027-10-31T02:30+02:00 2027-11-01T02:30+01:00"),
    (BERLIN, "daily", {}, "2027-10-30T03:00+02:00 2027-10-31T03:00+01:00 2027-11-01T03:00+01:00"),
    (BERLIN, "daily", {"interval": 3}, "2027-03-26T07:00+01:00 2027-03-29T07:00+02:00 2027-04-01T07:00+02:00"),
    (BERLIN, "daily", {"interval": 366}, "2027-02-28T07:00+01:00 2028-02-29T07:00+01:00 2029-03-01T07:00+01:00"),
    (BERLIN, "secondly", {"interval": 10}, "2027-03-28T01:59:50+01:00 2027-03-28T03:00:00+02:00 2027-03-28T03:00:10+02:00"),
    (BERLIN, "hourly", {}, "2027-03-28T00:30+01:00 2027-03-28T01:30+01:00 2027-03-28T03:30+02:00 2027-03-28T04:30+02:00"),
    (BERLIN, "hourly", {}, "2027-10-31T01:30+02:00 2027-10-31T02:30+02:00 2027-10-31T02:30+01:00 2027-10-31T03:30+01:00"),
    (BERLIN, "weekly", {}, "2027-03-21T02:30+01:00 2027-03-28T03:00+02:00 2027-04-04T02:30+02:00"),
    (BERLIN, "weekly", {"interval": 2}, "2027-03-14T10:00+01:00 2027-03-28T10:00+02:00 2027-04-11T10:00+02:00"),
    (BERLIN, "weekly", {"weekdays": {0, 2, 4}}, "2027-02-03T08:00+01:00 2027-02-05T08:00+01:00 2027-02-08T08:00+01:00 2027-02-10T08:00+01:00"),
    (BERLIN, "weekly", {"weekdays": {1, 3}, "interval": 2}, "2027-02-04T08:00+01:00 2027-02-16T08:00+01:00 2027-02-18T08:00+01:00 2027-03-02T08:00+01:00"),
    (BERLIN, "weekly", {"weekdays": {0, 6}}, "2027-10-24T02:30+02:00 2027-10-25T02:30+02:00 2027-10-31T02:30+02:00 2027-11-01T02:30+01:00"),
    (BERLIN, "monthly", {}, "2027-01-31T09:00+01:00 2027-02-28T09:00+01:00 2027-03-31T09:00+02:00 2027-04-30T09:00+02:00 2027-05-31T09:00+02:00"),
    (BERLIN, "monthly", {}, "2028-01-31T09:00+01:00 2028-02-29T09:00+01:00 2028-03-31T09:00+02:00"),
    (BERLIN, "monthly", {}, "2027-01-29T09:00+01:00 2027-02-28T09:00+01:00 2027-03-29T09:00+02:00 2027-04-29T09:00+02:00"),
    (BERLIN, "monthly", {}, "2028-01-30T09:00+01:00 2028-02-29T09:00+01:00 2028-03-30T09:00+02:00"),
    (BERLIN, "monthly", {}, "2027-02-28T02:30+01:00 2027-03-28T03:00+02:00 2027-04-28T02:30+02:00"),
    (BERLIN, "monthly", {"day_of_month": 31}, "2027-02-28T09:00+01:00 2027-03-31T09:00+02:00 2027-04-30T09:00+02:00"),
    (BERLIN, "monthly", {"interval": 12}, "2028-02-29T12:00+01:00 2029-02-28T12:00+01:00 2030-02-28T12:00+01:00 2031-02-28T12:00+01:00 2032-02-29T12:00+01:00"),
    (NEW_YORK, "daily", {}, "2027-03-13T02:30-05:00 2027-03-14T03:00-04:00 2027-03-15T02:30-04:00"),
    (NEW_YORK, "daily", {"clock": time(2, 30)}, "2027-03-14T03:00-04:00 2027-03-15T02:30-04:00"),
    (NEW_YORK, "daily", {}, "2027-11-06T01:30-04:00 2027-11-07T01:30-04:00 2027-11-08T01:30-05:00"),
    (NEW_YORK, "daily", {}, "2027-11-06T02:00-04:00 2027-11-07T02:00-05:00 2027-11-08T02:00-05:00"),
    (NEW_YORK, "daily", {"interval": 7}, "2027-03-07T10:00-05:00 2027-03-14T10:00-04:00 2027-03-21T10:00-04:00"),
    (NEW_YORK, "hourly", {"interval": 6}, "2027-03-13T18:00-05:00 2027-03-14T00:00-05:00 2027-03-14T07:00-04:00 2027-03-14T13:00-04:00"),
    (NEW_YORK, "hourly", {"interval": 2}, "2027-11-06T23:30-04:00 2027-11-07T01:30-04:00 2027-11-07T02:30-05:00 2027-11-07T04:30-05:00"),
    (NEW_YORK, "weekly", {"weekdays": {6}}, "2027-03-07T02:15-05:00 2027-03-14T03:00-04:00 2027-03-21T02:15-04:00"),
    (NEW_YORK, "monthly", {}, "2027-02-14T02:30-05:00 2027-03-14T03:00-04:00 2027-04-14T02:30-04:00"),
    (NEW_YORK, "monthly", {"interval": 3}, "2027-11-30T12:00-05:00 2028-02-29T12:00-05:00 2028-05-30T12:00-04:00 2028-08-30T12:00-04:00"),
    (LORD_HOWE, "daily", {}, "2027-10-02T02:15+10:30 2027-10-03T02:30+11:00 2027-10-04T02:15+11:00"),
    (LORD_HOWE, "daily", {}, "2027-10-02T02:00+10:30 2027-10-03T02:30+11:00 2027-10-04T02:00+11:00"),
    (LORD_HOWE, "daily", {}, "2027-04-03T01:45+11:00 2027-04-04T01:45+11:00 2027-04-05T01:45+10:30"),
    (LORD_HOWE, "hourly", {}, "2027-04-04T00:45+11:00 2027-04-04T01:45+11:00 2027-04-04T02:15+10:30 2027-04-04T03:15+10:30"),
    (LORD_HOWE, "hourly", {}, "2027-10-03T01:30+10:30 2027-10-03T03:00+11:00 2027-10-03T04:00+11:00"),
    (LORD_HOWE, "secondly", {"interval": 1800}, "2027-10-03T01:30+10:30 2027-10-03T02:30+11:00 2027-10-03T03:00+11:00"),
    (LORD_HOWE, "weekly", {}, "2027-09-26T02:29+10:30 2027-10-03T02:30+11:00 2027-10-10T02:29+11:00"),
    (LORD_HOWE, "monthly", {"interval": 2}, "2027-08-31T02:15+10:30 2027-10-31T02:15+11:00 2027-12-31T02:15+11:00 2028-02-29T02:15+11:00 2028-04-30T02:15+10:30"),
]  # fmt: skip

STOPPED_SCHEDULER = [
    # zone, frequency, more, first, next due, time of the restart → time caught up, number missed
    (BERLIN, "hourly", {}, "2027-10-30T00:00+02:00", "2027-10-31T00:00+02:00", "2027-11-01T00:00+01:00", "2027-11-01T00:00+01:00", 25),
    (BERLIN, "hourly", {}, "2027-03-27T00:00+01:00", "2027-03-28T00:00+01:00", "2027-03-29T00:00+02:00", "2027-03-29T00:00+02:00", 23),
    (BERLIN, "daily", {}, "2027-03-20T02:30+01:00", "2027-03-27T02:30+01:00", "2027-03-28T12:00+02:00", "2027-03-28T03:00+02:00", 1),
    (BERLIN, "daily", {}, "2027-03-20T09:00+01:00", "2027-03-27T09:00+01:00", "2027-03-28T08:59+02:00", "2027-03-27T09:00+01:00", 0),
    (NEW_YORK, "secondly", {"interval": 10}, "2027-03-13T12:00-05:00", "2027-03-13T12:00:10-05:00", "2027-03-14T13:00:09-04:00", "2027-03-14T13:00:00-04:00", 8639),
    (NEW_YORK, "daily", {"interval": 2}, "2027-03-11T02:30-05:00", "2027-03-13T02:30-05:00", "2027-03-17T02:30-04:00", "2027-03-17T02:30-04:00", 2),
    (LORD_HOWE, "weekly", {"weekdays": {5, 6}}, "2027-09-25T02:15+10:30", "2027-10-02T02:15+10:30", "2027-10-03T02:30+11:00", "2027-10-03T02:30+11:00", 1),
    (LORD_HOWE, "monthly", {}, "2027-01-31T02:15+11:00", "2027-02-28T02:15+11:00", "2027-05-01T00:00+10:30", "2027-04-30T02:15+10:30", 2),
]  # fmt: skip


def offset_in(zone: str, at: datetime) -> timedelta | None:
    return at.astimezone(ZoneInfo(zone)).utcoffset()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(("zone", "frequency", "more", "times"), TIMES)
def test_a_recurrence_has_the_expected_times(
    zone: str, frequency: str, more: dict, times: str
) -> None:
    expected = [moment(text) for text in times.split()]
    assert all(each.utcoffset() == offset_in(zone, each) for each in expected)
    rhythm = Rhythm(expected[0], zone, frequency, **more)

    just_before = expected[0] - timedelta(seconds=1)
    assert list(islice(rhythm.after(just_before), len(expected))) == expected
    for number, each in enumerate(expected[:-1]):
        assert next(rhythm.after(each)) == expected[number + 1]


@pytest.mark.parametrize(
    ("zone", "frequency", "more", "first", "due", "now", "made_up", "missed"), STOPPED_SCHEDULER
)
def test_only_the_last_missed_time_is_caught_up(
    zone: str, frequency: str, more: dict, first: str, due: str, now: str, made_up: str, missed: int
) -> None:
    rhythm = Rhythm(moment(first), zone, frequency, **more)
    assert rhythm.latest(moment(due), moment(now)) == (moment(made_up), missed)


def test_the_end_is_inclusive() -> None:
    first = moment("2027-03-27T09:00+01:00")
    rhythm = Rhythm(first, BERLIN, "daily", until=moment("2027-03-29T09:00+02:00"))
    assert len(list(rhythm.after(first))) == 2
    rhythm = Rhythm(first, BERLIN, "daily", until=moment("2027-03-29T08:59+02:00"))
    assert len(list(rhythm.after(first))) == 1


def test_distant_times_need_no_iteration() -> None:
    rhythm = Rhythm(moment("2001-01-01T00:00+00:00"), "UTC", "secondly", 10)
    after = moment("2087-01-01T00:00:05+00:00")
    assert next(rhythm.after(after)) == moment("2087-01-01T00:00:10+00:00")


WALL = st.datetimes(moment("2026-01-01"), moment("2029-01-01")).map(
    lambda clock: clock.replace(second=0, microsecond=0)
)
ZONES = st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, "UTC", "Asia/Kathmandu", "Africa/Casablanca"])


def first_showing(clock: datetime, zone: str) -> datetime:
    """Return the first minute of the day at which a clock shows the time or a later one."""
    each = clock.replace(tzinfo=UTC) - timedelta(hours=15)
    midnight = datetime.combine(clock, time())
    while True:
        shown = each.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if shown >= clock and shown >= midnight:
            return each
        each += MINUTE


@given(
    WALL, ZONES, st.sampled_from(["daily", "weekly", "monthly"]), st.integers(1, 5),
    st.sets(st.integers(0, 6)), st.integers(1, 31),
)  # fmt: skip
def test_local_times_match_rfc_5545(
    clock: datetime, zone: str, frequency: str, interval: int, weekdays: set[int], day: int
) -> None:
    rule = {
        "daily": lambda: rrule(DAILY, clock, interval),
        "weekly": lambda: rrule(
            WEEKLY, clock, interval, wkst=MO, byweekday=sorted(weekdays) or [clock.weekday()]
        ),
        "monthly": lambda: rrule(
            MONTHLY, clock, interval, bymonthday=range(min(day, 28), day + 1), bysetpos=-1
        ),
    }[frequency]()
    first = first_showing(clock, zone)
    expected = [first_showing(each, zone) for each in islice(rule, 4)]

    rhythm = Rhythm(
        first, zone, frequency, interval, frozenset(weekdays), day, clock=clock.time()
    )  # fmt: skip

    assert list(islice(rhythm.after(first - MINUTE), 4)) == expected
    assert list(islice(rhythm.after(expected[1]), 2)) == expected[2:]


@given(
    WALL,
    ZONES,
    st.sampled_from(["secondly", "hourly"]),
    st.integers(10, 100),
    st.integers(0, 10**8),
)
def test_elapsed_intervals_count_from_the_first_time(
    clock: datetime, zone: str, frequency: str, interval: int, later: int
) -> None:
    first = clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    after = first + timedelta(seconds=later)
    rhythm = Rhythm(first, zone, frequency, interval)
    step = interval * (3600 if frequency == "hourly" else 1)

    found = next(rhythm.after(after))

    assert (found - first).total_seconds() % step == 0
    assert 0 < (found - after).total_seconds() <= step
