"""The calendar: past and scheduled runs by day, in the site's time zone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Min
from django.db.models.functions import TruncDate
from django.utils import timezone

from marketing.models import Campaign, CampaignRun
from marketing.schedule import campaign_times

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """A campaign on a day: its first run, and how many; None for a campaign that recurs hourly or more often."""

    campaign: Campaign
    at: datetime
    times: int | None = 1
    past: bool = False


def calendar_entries(
    first: date, last: date, *, now: datetime | None = None
) -> dict[date, list[CalendarEntry]]:
    """Return the past and scheduled runs of these days, by day and in order of time."""
    now = now or timezone.now()
    since, until = _midnight(first), _midnight(last + DAY)
    found: dict[date, list[CalendarEntry]] = defaultdict(list)
    for entry in (*_past(since, until), *_scheduled(max(since, now), until)):
        found[timezone.localdate(entry.at)].append(entry)
    return {
        day: sorted(its_entries, key=lambda each: each.at) for day, its_entries in found.items()
    }


def _past(since: datetime, until: datetime) -> Iterator[CalendarEntry]:
    runs = CampaignRun.objects.filter(created_at__gte=since, created_at__lt=until).order_by()
    days = list(
        runs.annotate(day=TruncDate("created_at"))
        .values("campaign", "day")
        .annotate(times=Count("pk"), at=Min("created_at"))
    )
    campaigns = Campaign.objects.in_bulk({row["campaign"] for row in days})
    for row in days:
        yield CalendarEntry(campaigns[row["campaign"]], row["at"], row["times"], past=True)


def _scheduled(since: datetime, until: datetime) -> Iterator[CalendarEntry]:
    if since >= until:
        return
    waiting = Campaign.objects.filter(state=Campaign.State.SCHEDULED, next_run_at__lt=until)
    for campaign in waiting:
        if campaign.recurs and campaign.frequency not in campaign_times.BY_LOCAL_TIME:
            yield from _every_day(campaign, since, until)
            continue
        for at in campaign_times.times(
            campaign, after=since - timedelta(microseconds=1), until=until
        ):
            yield CalendarEntry(campaign, at)


def _every_day(campaign: Campaign, since: datetime, until: datetime) -> Iterator[CalendarEntry]:
    """Yield an entry for each day of a campaign that starts many times a day."""
    after = since - timedelta(microseconds=1)
    while at := campaign_times.next_run(campaign, after=after):
        if at >= until:
            return
        yield CalendarEntry(campaign, at, times=None)
        after = _midnight(timezone.localdate(at) + DAY) - timedelta(microseconds=1)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
