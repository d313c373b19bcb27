"""The time that a clock on the wall of some zone shows."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.tz import datetime_exists


def at(clock: datetime, zone: str) -> datetime:
    """The moment when a clock in the zone shows this: the first one where it shows it twice, and where the clock goes forward over it
    the first minute after. In UTC: times of one zone compare as its clock shows them (PEP 495).
    """
    moment = clock.replace(tzinfo=ZoneInfo(zone), fold=0)
    return moment.astimezone(UTC) if datetime_exists(moment) else _end_of_gap(clock, zone)


def skipped(clock: datetime, zone: str) -> time | None:
    """The time of day when clocks in the zone go forward over it on that day; None when they show it."""
    return None if datetime_exists(clock.replace(tzinfo=ZoneInfo(zone))) else clock.time()


def shows(moment: datetime, zone: str) -> datetime:
    """What a clock in the zone shows at the moment."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _end_of_gap(clock: datetime, zone: str) -> datetime:
    """The first minute after the gap in which the clock's time lies.

    The two readings of a skipped time (PEP 495) lie around the gap: by the offset after it, and by the one before.
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
