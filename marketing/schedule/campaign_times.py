"""The times of a campaign: its rhythm, its next runs, and the errors in its schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from marketing.models import Campaign
from marketing.schedule import wall_clock
from marketing.schedule.rhythm import Rhythm

Type = Campaign.Type
Frequency = Campaign.Frequency

SHORTEST_SECONDS = 10
FARTHEST = timedelta(days=100 * 365)
SHOWN = 5
"""The number of next runs that are shown with a schedule."""
BY_LOCAL_TIME = frozenset({Frequency.DAILY, Frequency.WEEKLY, Frequency.MONTHLY})


def rhythm(campaign: Campaign, *, start: datetime | None = None) -> Rhythm:
    """Return the rhythm of a recurring campaign, from `start` where it has no start of its own.

    At each customer's local time, a run begins when the first zone of the world shows the time, so the rhythm is that zone's.
    """
    first = campaign.scheduled_at or start
    assert first is not None
    zone, until = campaign.timezone, campaign.ends_at
    if campaign.local_time:
        first = wall_clock.begins(first, zone)
        until = until and wall_clock.begins(until, zone)
        zone = wall_clock.FIRST_ZONE
    order = Campaign.Weekday.values
    return Rhythm(
        first=first,
        zone=zone,
        frequency=campaign.frequency,
        interval=campaign.interval,
        weekdays=frozenset(order.index(day) for day in campaign.weekdays),
        day_of_month=campaign.day_of_month,
        clock=campaign.clock_time,
        until=until,
    )


def next_run(campaign: Campaign, *, after: datetime) -> datetime | None:
    """Return the next time of the campaign; None when its schedule has ended."""
    return next(_starts(campaign, after), None)


def next_runs(campaign: Campaign, *, now: datetime | None = None) -> list[datetime]:
    """Return the next times, five at most, of a campaign that need not be scheduled yet."""
    if campaign.scheduled_at is None or campaign.state in {"completed", "cancelled"}:
        return []
    starts = _starts(campaign, now or timezone.now())
    return [_shown(campaign, each) for each in islice(starts, SHOWN)]


def times(campaign: Campaign, *, after: datetime, until: datetime) -> list[datetime]:
    """Return the times between two moments, without both."""
    starts = takewhile(lambda each: each < until, _starts(campaign, after))
    return [_shown(campaign, each) for each in starts]


def latest_due(campaign: Campaign, now: datetime) -> tuple[datetime, int]:
    """Return the time for which a scheduled campaign starts now, and how many earlier ones it missed."""
    assert campaign.next_run_at is not None
    if not campaign.recurs:
        return campaign.next_run_at, 0
    return rhythm(campaign).latest(campaign.next_run_at, now)


def schedule_errors(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the errors in the fields of a schedule, by field."""
    far = timezone.now() + FARTHEST
    found = {
        name: _("Enter a time within the next hundred years.")
        for name in ("scheduled_at", "ends_at")
        if given.get(name) and given[name] > far
    }
    if given.get("type") == Type.RECURRING:
        return found | _recurring_errors(given)
    if given.get("type") == Type.TRIGGERED and given.get("scheduled_at"):
        found["scheduled_at"] = _("Remove the start: an event starts a triggered campaign.")
    return found | _one_time_errors(given)


def _recurring_errors(given: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    frequency = given.get("frequency")
    if not frequency:
        known = ", ".join(Frequency.values)
        found["frequency"] = _("Choose how often the campaign runs. One of: %s.") % known
    if frequency == Frequency.SECONDLY and given.get("interval", 1) < SHORTEST_SECONDS:
        found["interval"] = _("Enter at least %s seconds between two runs.") % SHORTEST_SECONDS
    if given.get("weekdays") and frequency != Frequency.WEEKLY:
        found["weekdays"] = _("Weekdays are for weekly campaigns only.")
    if given.get("day_of_month") and frequency != Frequency.MONTHLY:
        found["day_of_month"] = _("The day of the month is for monthly campaigns only.")
    if given.get("local_time") and frequency not in BY_LOCAL_TIME:
        found["local_time"] = _("Local time is for daily, weekly and monthly campaigns only.")
    start, end = given.get("scheduled_at"), given.get("ends_at")
    if start and end and end < start:
        found["ends_at"] = _("Enter an end after the start.")
    return found


def _one_time_errors(given: Mapping[str, Any]) -> dict[str, str]:
    message = _("This is for recurring campaigns only.")
    only = ("frequency", "weekdays", "day_of_month", "ends_at", "max_runs")
    return {name: message for name in only if given.get(name)}


def _starts(campaign: Campaign, after: datetime) -> Iterator[datetime]:
    """Iterate over the starts after a moment, in order, as many as the campaign may still have."""
    if campaign.recurs:
        left = None if campaign.max_runs is None else max(campaign.max_runs - _runs(campaign), 0)
        return islice(rhythm(campaign, start=after).after(after), left)
    at = campaign.scheduled_at
    if at and campaign.local_time:
        at = wall_clock.begins(at, campaign.timezone)
    return iter([at] if at and at > after else [])


def _shown(campaign: Campaign, start: datetime) -> datetime:
    return wall_clock.in_zone(start, campaign.timezone) if campaign.local_time else start


def _runs(campaign: Campaign) -> int:
    return campaign.runs.count() if campaign.pk else 0
