"""When it is night for whom: until when a message has to wait, by the clock of the customer's own time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db.models import Q

from marketing.models import QuietHours
from marketing.models.campaign import Campaign

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From one local time to another, past midnight where the end is before the start."""

    starts_at: time
    ends_at: time

    def end_around(self, shown: datetime) -> datetime | None:
        """What the clock that shows this will show when the span is over; None outside of it."""
        now = shown.time()
        end = datetime.combine(shown.date(), self.ends_at)
        if self.starts_at < self.ends_at:
            return end if self.starts_at <= now < self.ends_at else None
        if now >= self.starts_at:
            return end + DAY
        return end if now < self.ends_at else None


@cache
def zones() -> frozenset[str]:
    """The time zones that there are; finding out looks at hundreds of files."""
    return frozenset(available_timezones())


def of(campaign: Campaign) -> tuple[Span, ...]:
    """The quiet hours that the campaign keeps; none when it is exempt."""
    if campaign.exempt_from_quiet_hours:
        return ()
    rules = QuietHours.objects.filter(Q(channel="") | Q(channel=campaign.channel), active=True)
    return tuple(Span(*times) for times in rules.order_by("pk").values_list("starts_at", "ends_at"))


def over_at(spans: Sequence[Span], zone: str, now: datetime) -> datetime | None:
    """When nothing is quiet in the zone any more, `now` being quiet there; None where it is not.

    The site's zone stands in for one that is missing or unknown. Spans that follow upon each other are one; where they leave no time
    of the day the end of the last one within a day is taken.
    """
    clock = ZoneInfo(zone if zone in zones() else settings.TIME_ZONE)
    moment = now
    while moment - now < DAY:
        shown = moment.astimezone(clock).replace(tzinfo=None)
        ends = [end for span in spans if (end := span.end_around(shown))]
        if not ends:
            break
        # a time that the clock skips is read by the offset before the change, which is just after it
        moment = max(ends).replace(tzinfo=clock).astimezone(now.tzinfo)
    return moment if moment > now else None


def everywhere(spans: Sequence[Span], now: datetime) -> dict[str, datetime | None]:
    """over_at() for each time zone that there is."""
    return {zone: over_at(spans, zone, now) for zone in zones()}
