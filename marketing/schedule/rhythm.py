"""Recurrence: pure arithmetic over moments, without campaigns.

A rhythm of seconds or hours counts elapsed time; one of days, weeks or months follows the local time of a zone. A local time that a clock
change skips becomes the next minute that exists, and one that it repeats is the first of the two.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, takewhile

from marketing.schedule import wall_clock

DAY = timedelta(days=1)
SPANS = {"secondly": timedelta(seconds=1), "hourly": timedelta(hours=1)}
"""The unit of a rhythm that counts elapsed time."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Every `interval`-th second, hour, day, week or month from `first`, counted from it.

    `weekdays` (0 is Monday) are those of a weekly rhythm, by default that of `first`; a week begins on Monday. `day_of_month` is that of a
    monthly one, by default that of `first`; in a shorter month it is the last day. `clock` is the local time where a clock change moved
    `first`. There are no times after `until`.
    """

    first: datetime
    zone: str
    frequency: str
    interval: int = 1
    weekdays: frozenset[int] = field(default_factory=frozenset)
    day_of_month: int | None = None
    clock: time | None = None
    until: datetime | None = None

    @property
    def first_local(self) -> datetime:
        """Return the local time of the first time."""
        shown = wall_clock.shows(self.first, self.zone)
        return datetime.combine(shown, self.clock) if self.clock else shown

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Iterate over the times after a moment, in order, in UTC."""
        until = self.until
        for each in self._from(moment):
            if until and each > until:
                return
            if each > moment:
                yield each

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """Return the times after one moment, up to and including another."""
        return list(takewhile(lambda each: each <= until, self.after(after)))

    def latest(self, since: datetime, until: datetime) -> tuple[datetime, int]:
        """Return the last time from `since`, which is one, up to `until`, and how many precede it."""
        last, passed = since, 0
        for each in takewhile(lambda each: each <= until, self.after(since)):
            last, passed = each, passed + 1
        return last, passed

    def _from(self, moment: datetime) -> Iterator[datetime]:
        """Iterate over the times in order, without those long before a moment."""
        if span := SPANS.get(self.frequency):
            step = span * self.interval
            start = self.first.astimezone(UTC)
            passed = max(0, (moment - start) // step)
            return (start + step * number for number in count(passed))
        return self._by_local_time(moment)

    def _by_local_time(self, moment: datetime) -> Iterator[datetime]:
        start = self.first_local
        earliest = max(start.date(), wall_clock.shows(moment, self.zone).date() - 2 * DAY)
        last: datetime | None = None
        for day in self._days(start.date(), earliest):
            each = wall_clock.at(datetime.combine(day, start.time()), self.zone)
            if last is None or each > last:
                yield each
            last = each

    def _days(self, start: date, earliest: date) -> Iterator[date]:
        match self.frequency:
            case "daily":
                days = _every(start, earliest, self.interval)
            case "weekly":
                days = self._weekly(start, earliest)
            case "monthly":
                days = self._monthly(start, earliest)
            case _:
                raise ValueError(self.frequency)
        return (day for day in days if day >= earliest)

    def _weekly(self, start: date, earliest: date) -> Iterator[date]:
        monday = start - DAY * start.weekday()
        weekdays = sorted(self.weekdays) or [start.weekday()]
        for week in _every(monday, earliest - 7 * DAY, 7 * self.interval):
            yield from (week + DAY * weekday for weekday in weekdays)

    def _monthly(self, start: date, earliest: date) -> Iterator[date]:
        wanted = self.day_of_month or start.day
        first, now = _month(start), _month(earliest)
        begun = first + max(0, now - first) // self.interval * self.interval
        for month in count(begun, self.interval):
            year, before = divmod(month, 12)
            yield date(year, before + 1, min(wanted, monthrange(year, before + 1)[1]))


def _every(start: date, earliest: date, days: int) -> Iterator[date]:
    """Iterate over every `days`-th day from the start, beginning with the last one not after `earliest`."""
    passed = max(0, (earliest - start).days) // days
    return (start + DAY * (days * number) for number in count(passed))


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1
