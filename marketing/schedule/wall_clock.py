"""Local times: the moment of a local time, in one time zone or in each customer's.

A run at each customer's local time begins when the first zone of the world shows the time, and ends after the last one has.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from dateutil.tz import datetime_exists

FIRST_ZONE = "Pacific/Kiritimati"
"""UTC+14 all year: nowhere is it later."""


def at(clock: datetime, zone: str) -> datetime:
    """Return the moment of a local time, in UTC.

    It is the first one where the clock shows the time twice, and the first minute after a gap where the clock skips it.
    """
    moment = clock.replace(tzinfo=ZoneInfo(zone), fold=0)
    return moment.astimezone(UTC) if datetime_exists(moment) else _end_of_gap(clock, zone)


def skipped(clock: datetime, zone: str) -> time | None:
    """Return the time of day if a clock change in the zone skips it on that day, else None."""
    return None if datetime_exists(clock.replace(tzinfo=ZoneInfo(zone))) else clock.time()


def shows(moment: datetime, zone: str) -> datetime:
    """Return the local time of a moment."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def begins(moment: datetime, zone: str) -> datetime:
    """Return when the first zone of the world shows the local time that the moment has in a zone."""
    return at(shows(moment, zone), FIRST_ZONE)


def in_zone(begun: datetime, zone: str) -> datetime:
    """Return when a zone shows the local time at which a run began in the first zone."""
    return at(shows(begun, FIRST_ZONE), zone)


@lru_cache(maxsize=16)
def everywhere(begun: datetime) -> dict[str, datetime]:
    """Return in_zone() for each time zone."""
    return {zone: in_zone(begun, zone) for zone in available_timezones()}


def _end_of_gap(clock: datetime, zone: str) -> datetime:
    """Return the first minute after the gap that skips a local time.

    The two readings of a skipped time (PEP 495) lie on both sides of the gap: by the offset after it, and by the one before.
    """
    start_of_minute = clock.replace(second=0, microsecond=0, tzinfo=ZoneInfo(zone))
    before, after = (start_of_minute.replace(fold=fold).astimezone(UTC) for fold in (1, 0))
    offset = after.astimezone(ZoneInfo(zone)).utcoffset()

    def is_past_gap(minutes: int) -> bool:
        return (before + timedelta(minutes=minutes)).astimezone(
            ZoneInfo(zone)
        ).utcoffset() == offset

    width = (after - before) // timedelta(minutes=1)
    minutes = bisect_left(range(width), True, key=is_past_gap)
    return before + timedelta(minutes=minutes)
