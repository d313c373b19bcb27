"""Local times of customers: times of day, windows of them, and the hour at which a customer reads messages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _

from customers.models import Customer
from marketing.messages import zones
from marketing.models import Campaign
from marketing.schedule import wall_clock
from marketing.workflows.reading import Fields

WEEKDAYS = tuple(Campaign.Weekday.values)
DAY = timedelta(days=1)
BEST_HOUR = "best_hour"
"""The value of `until` and `send_at` for the hour at which a customer reads messages."""


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A local time of day, on any of these weekdays; with an end, any time up to it is right, too."""

    clock: time
    weekdays: frozenset[str]
    until: time | None = None

    def after(self, moment: datetime, zone: str) -> datetime:
        """Return the first such time from a moment on, in UTC; the moment itself within the window."""
        shown = wall_clock.shows(moment, zone)
        if self.until and self._is_day(shown.date()) and self.clock <= shown.time() < self.until:
            return moment
        day = shown.date()
        while True:
            found = wall_clock.at(datetime.combine(day, self.clock), zone)
            if self._is_day(day) and found >= moment:
                return found
            day += DAY

    def _is_day(self, day: date) -> bool:
        return not self.weekdays or WEEKDAYS[day.weekday()] in self.weekdays

    def nearest_hour(self, hour: int) -> LocalTime:
        """Return the hour of this window that is nearest to an hour of the day."""
        assert self.until
        first, last = self.clock.hour, self.until.hour - (self.until.minute == 0)
        hour = min(max(hour, first), max(first, last))
        begins = max(time(hour), self.clock)
        ends = time(hour + 1) if hour < 23 else time.max
        return LocalTime(begins, self.weekdays, min(ends, self.until))


WHOLE_DAY = LocalTime(time(0), frozenset(), time.max)


def zone_of(known: str, otherwise: str) -> str:
    """Return a customer's time zone, or another where it is not known."""
    return known if known in zones() else otherwise


def best_times(
    customers: Collection[int], window: LocalTime | None, now: datetime, zone: str
) -> dict[int, datetime]:
    """Return when each customer reads messages next, by id; now for customers whose best hour is not known, in the window.

    `zone` stands in for an unknown time zone.
    """
    rows = Customer.objects.filter(pk__in=customers)
    window = window or WHOLE_DAY
    return {
        pk: (window if hour is None else window.nearest_hour(hour)).after(now, zone_of(known, zone))
        for pk, known, hour in rows.values_list("pk", "timezone", "profile__best_hour")
    }


def read_clock(fields: Fields, key: str) -> time:
    """Return a local time of day, such as 09:00; 09:00 where there is none."""
    written = fields.text(key, default="09:00", longest=8)
    try:
        return time.fromisoformat(written)
    except ValueError:
        fields.refuse(key, _("Give a time of day, such as 09:00."))
        return time(9)


def read_weekdays(fields: Fields) -> frozenset[str]:
    """Return the weekdays of an object; none stand for all."""
    given = fields.raw("weekdays") or []
    if not isinstance(given, list) or not all(each in WEEKDAYS for each in given):
        fields.refuse("weekdays", _("Give a list of weekdays, such as [“mon”, “thu”]."))
        return frozenset()
    return frozenset(given)


def read_window(fields: Fields | None) -> LocalTime | None:
    """Return a window of local times: `from` and `to`, and the weekdays on which it counts."""
    if fields is None:
        return None
    found = LocalTime(read_clock(fields, "from"), read_weekdays(fields), read_clock(fields, "to"))
    if found.until is not None and found.until <= found.clock:
        fields.refuse("to", _("Give a time after “from”."))
    fields.done()
    return found
