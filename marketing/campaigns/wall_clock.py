"""The time that a clock on the wall of some zone shows."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from dateutil.tz import datetime_exists
from django.utils.translation import gettext as _


def at(clock: datetime, zone: str) -> datetime:
    """The moment when a clock in the zone shows this; the first one where it shows it twice.

    Raises ValueError for a time that is skipped when the clock goes forward.
    """
    moment = clock.replace(tzinfo=ZoneInfo(zone), fold=0)
    if not datetime_exists(moment):
        raise ValueError(
            _("Clocks go forward then: %(time)s does not exist in %(zone)s.")
            % {"time": clock.strftime("%H:%M"), "zone": zone}
        )
    return moment


def shows(moment: datetime, zone: str) -> datetime:
    """What a clock in the zone shows at the moment."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
