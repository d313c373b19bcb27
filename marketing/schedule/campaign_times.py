"""When a campaign runs, from what was planned: the rhythm of a recurring one, and the next times of any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from marketing.models import Campaign
from marketing.schedule import local_time
from marketing.schedule.rhythm import Rhythm

Type = Campaign.Type
Frequency = Campaign.Frequency

SHORTEST_SECONDS = 10
FARTHEST = timedelta(days=100 * 365)
SHOWN = 5
"""So many next times are shown wherever a schedule is edited."""
ON_THE_WALL = frozenset({Frequency.DAILY, Frequency.WEEKLY, Frequency.MONTHLY})


def rhythm(campaign: Campaign, *, start: datetime | None = None) -> Rhythm:
    """The rhythm of a recurring campaign; from `start` where it has not been given one.

    At each customer's own time a run begins when the first zone of the world shows the time, so the rhythm is that zone's.
    """
    first = campaign.scheduled_at or start
    assert first is not None
    zone, until = campaign.timezone, campaign.ends_at
    if campaign.local_time:
        first = local_time.begins(first, zone)
        until = until and local_time.begins(until, zone)
        zone = local_time.FIRST_ZONE
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
    """When the campaign is to start next; None when its schedule is over."""
    return next(_starts(campaign, after), None)


def next_runs(campaign: Campaign, *, now: datetime | None = None) -> list[datetime]:
    """The next times as its zone's clock shows them, five at most: of what is planned, be it scheduled already or not."""
    if campaign.scheduled_at is None or campaign.state in {"completed", "cancelled"}:
        return []
    starts = _starts(campaign, now or timezone.now())
    return [_shown(campaign, each) for each in islice(starts, SHOWN)]


def times(campaign: Campaign, *, after: datetime, until: datetime) -> list[datetime]:
    """The times between two moments, without both, as its zone's clock shows them."""
    starts = takewhile(lambda each: each < until, _starts(campaign, after))
    return [_shown(campaign, each) for each in starts]


def latest_due(campaign: Campaign, now: datetime) -> tuple[datetime, int]:
    """Which of its times a scheduled campaign starts for now, and how many before it were missed."""
    assert campaign.next_run_at is not None
    if not campaign.recurs:
        return campaign.next_run_at, 0
    return rhythm(campaign).latest(campaign.next_run_at, now)


def faults(given: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the fields of a schedule, by field; empty when nothing is."""
    far = timezone.now() + FARTHEST
    found = {
        name: _("Within the next hundred years, please.")
        for name in ("scheduled_at", "ends_at")
        if given.get(name) and given[name] > far
    }
    if given.get("type") == Type.RECURRING:
        return found | _faults_of_recurring(given)
    if given.get("type") == Type.TRIGGERED and given.get("scheduled_at"):
        found["scheduled_at"] = _("Events start a triggered campaign, no time does.")
    return found | _faults_of_one_time(given)


def _faults_of_recurring(given: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    frequency = given.get("frequency")
    if not frequency:
        known = ", ".join(Frequency.values)
        found["frequency"] = _("How often does it run? One of: %s.") % known
    if frequency == Frequency.SECONDLY and given.get("interval", 1) < SHORTEST_SECONDS:
        found["interval"] = _("At least %s seconds lie between two runs.") % SHORTEST_SECONDS
    if given.get("weekdays") and frequency != Frequency.WEEKLY:
        found["weekdays"] = _("Only a weekly campaign has weekdays.")
    if given.get("day_of_month") and frequency != Frequency.MONTHLY:
        found["day_of_month"] = _("Only a monthly campaign has a day of the month.")
    if given.get("local_time") and frequency not in ON_THE_WALL:
        found["local_time"] = _("Only daily, weekly and monthly times are read on a clock.")
    start, end = given.get("scheduled_at"), given.get("ends_at")
    if start and end and end < start:
        found["ends_at"] = _("It would end before it starts.")
    return found


def _faults_of_one_time(given: Mapping[str, Any]) -> dict[str, str]:
    message = _("Only a recurring campaign has this.")
    only = ("frequency", "weekdays", "day_of_month", "ends_at", "max_runs")
    return {name: message for name in only if given.get(name)}


def _starts(campaign: Campaign, after: datetime) -> Iterator[datetime]:
    """When its runs begin after the moment, in order: as many as it may still have."""
    if campaign.recurs:
        left = None if campaign.max_runs is None else max(campaign.max_runs - _runs(campaign), 0)
        return islice(rhythm(campaign, start=after).after(after), left)
    at = campaign.scheduled_at
    if at and campaign.local_time:
        at = local_time.begins(at, campaign.timezone)
    return iter([at] if at and at > after else [])


def _shown(campaign: Campaign, start: datetime) -> datetime:
    return local_time.in_zone(start, campaign.timezone) if campaign.local_time else start


def _runs(campaign: Campaign) -> int:
    return campaign.runs.count() if campaign.pk else 0
