"""A run at each customer's own time: it begins when the first zone of the world shows the time, and ends after the last has."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import available_timezones

from marketing.schedule import wall_clock

FIRST_ZONE = "Pacific/Kiritimati"
"""UTC+14, all year: nowhere is it later."""


def begins(at: datetime, zone: str) -> datetime:
    """When the first zone of the world shows what a clock in this one shows at the moment."""
    return wall_clock.at(wall_clock.shows(at, zone), FIRST_ZONE)


def in_zone(begun: datetime, zone: str) -> datetime:
    """When a clock in the zone shows what the first zone did as the run began."""
    return wall_clock.at(wall_clock.shows(begun, FIRST_ZONE), zone)


@lru_cache(maxsize=16)
def everywhere(begun: datetime) -> dict[str, datetime]:
    """Return for each time zone when a run that began then is due there."""
    return {zone: in_zone(begun, zone) for zone in available_timezones()}
