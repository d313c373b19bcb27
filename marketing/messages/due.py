"""When a message may leave: after quiet hours, at the customer's local time, after a delay, and after a failed attempt."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from marketing.models import QuietHours

DAY = timedelta(days=1)
LONGEST_RETRY = timedelta(hours=1)
UNKNOWN_ZONE = ""


@dataclass(frozen=True, slots=True)
class QuietWindow:
    """From one local time to another, past midnight where the end is before the start."""

    starts_at: time
    ends_at: time

    def end_around(self, shown: datetime) -> datetime | None:
        """Return the local time at which the window around this one ends; None outside of it."""
        now = shown.time()
        end = datetime.combine(shown.date(), self.ends_at)
        if self.starts_at < self.ends_at:
            return end if self.starts_at <= now < self.ends_at else None
        if now >= self.starts_at:
            return end + DAY
        return end if now < self.ends_at else None


def quiet_windows(channel: str) -> tuple[QuietWindow, ...]:
    """Return the active quiet hours of a channel."""
    rules = QuietHours.objects.filter(Q(channel="") | Q(channel=channel), active=True)
    times = rules.order_by("pk").values_list("starts_at", "ends_at")
    return tuple(QuietWindow(*pair) for pair in times)


def quiet_until(windows: Sequence[QuietWindow], zone: str, now: datetime) -> datetime | None:
    """Return when the quiet hours around `now` end in a time zone; None outside of quiet hours.

    The site's zone stands in for a missing or unknown one. Windows that follow one another count as one; where they leave no time of
    the day free, the end of the last one within a day counts.
    """
    clock = ZoneInfo(zone if zone in zones() else settings.TIME_ZONE)
    moment = now
    while moment - now < DAY:
        shown = moment.astimezone(clock).replace(tzinfo=None)
        ends = [end for window in windows if (end := window.end_around(shown))]
        if not ends:
            break
        # a time that the clock skips is read by the offset before the change, which is just after it
        moment = max(ends).replace(tzinfo=clock).astimezone(now.tzinfo)
    return moment if moment > now else None


@cache
def zones() -> frozenset[str]:
    """Return the names of all time zones; finding them reads hundreds of files."""
    return frozenset(available_timezones())


def due_by_zone(
    windows: Sequence[QuietWindow], local_due: Mapping[str, datetime]
) -> dict[str, datetime | None]:
    """Return when a message may leave in each time zone: after quiet hours and from its local time on; None is at once.

    UNKNOWN_ZONE stands for customers without a known time zone, in both mappings.
    """
    now = timezone.now()
    times: dict[str, datetime | None] = {}
    for zone in (*zones(), UNKNOWN_ZONE):
        waits = (quiet_until(windows, zone, now) if windows else None, local_due.get(zone))
        times[zone] = max((each for each in waits if each), default=None)
    return times


def retry_delay(attempts: int) -> timedelta:
    """Return how long a message waits after the given number of attempts: exponential backoff with full jitter.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    first = timedelta(seconds=settings.SENDING_FIRST_RETRY_SECONDS)
    ceiling = min(first * 2 ** min(attempts - 1, 10), LONGEST_RETRY)
    return ceiling * random.random()  # noqa: S311
