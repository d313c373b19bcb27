"""Wait: for a length of time, until a time, until a local time of a weekday, or until a date of the customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Self

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from marketing.messages import zones
from marketing.models import Campaign
from marketing.schedule import wall_clock
from marketing.workflows.entry_kinds import read_clock
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.steps.base import Step, Turn

WEEKDAYS = tuple(Campaign.Weekday.values)
DATES = ("date_of_birth", "registered_at")
DAY = timedelta(days=1)


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


@dataclass(frozen=True, slots=True)
class DateOfCustomer:
    """A date of the customer with a number of days added, at a local time of day."""

    name: str
    offset: timedelta
    clock: time
    every_year: bool


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Lets time pass: `for_`, or until a moment, a local time, or a date of the customer."""

    type = "wait"
    label = gettext_lazy("Wait")
    waits = True

    for_: timedelta | None = None
    moment: datetime | None = None
    local: LocalTime | None = None
    date_of: DateOfCustomer | None = None

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `for`, `until` (a moment, or an object with weekdays, at, or date_of), or `window`."""
        given = [name for name in ("for", "until", "window") if name in fields]
        if len(given) != 1:
            fields.refuse("", _("Give one of: for, until, window."))
        settings: dict[str, Any] = {
            "for_": fields.span("for"),
            "local": _read_window(fields.inner("window")),
            **_read_until(fields),
        }
        return cls(key, fields.targets("", main=""), **settings)

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        zones_of = self._zones(turn, passages)
        for each in passages:
            until = self._until(turn, each, zones_of.get(each.customer_id, ("", None)))
            if until is None or until <= turn.now:
                turn.go([each])
            else:
                turn.hold([each], until)

    def wake(self, turn: Turn, passages: Sequence[Passage]) -> None:
        for each in passages:
            assert each.due_at
            if each.due_at <= turn.now:
                turn.go([each])
            else:
                turn.hold([each], each.due_at)

    def _until(
        self, turn: Turn, passage: Passage, customer: tuple[str, date | None]
    ) -> datetime | None:
        zone, day = customer
        if self.for_ is not None:
            return turn.now + self.for_
        if self.moment is not None:
            return self.moment
        if self.local is not None:
            return self.local.after(turn.now, zone)
        assert self.date_of
        return _moment_of(self.date_of, day, turn.now, zone) if day else None

    def _zones(self, turn: Turn, passages: Sequence[Passage]) -> dict[int, tuple[str, date | None]]:
        """Return the time zone of each customer, and the date that the wait goes by."""
        if self.local is None and self.date_of is None:
            return {}
        column = self.date_of.name if self.date_of and self.date_of.name in DATES else "pk"
        rows = Customer.objects.filter(pk__in={each.customer_id for each in passages})
        found = {}
        for pk, zone, attributes, held in rows.values_list("pk", "timezone", "attributes", column):
            known = zone if zone in zones() else turn.workflow.timezone
            named = self.date_of and column == "pk"
            value = (attributes or {}).get(self.date_of.name) if named and self.date_of else held
            found[pk] = (known, _as_date(value, known))
        return found


def _read_window(fields: Fields | None) -> LocalTime | None:
    if fields is None:
        return None
    found = LocalTime(read_clock(fields, "from"), _read_weekdays(fields), read_clock(fields, "to"))
    if found.until is not None and found.until <= found.clock:
        fields.refuse("to", _("Give a time after “from”."))
    fields.done()
    return found


def _read_until(fields: Fields) -> dict[str, Any]:
    value = fields.raw("until")
    if value is None:
        return {}
    if isinstance(value, str):
        moment = _parsed(value)
        if moment is None:
            fields.refuse(
                "until", _("Give a time with its offset, such as 2027-01-01T09:00+01:00.")
            )
        return {"moment": moment}
    inner = fields.inner("until")
    assert inner
    if "date_of" in inner:
        days = inner.number("days", low=-366, high=366, default=0)
        found: dict[str, Any] = {
            "date_of": DateOfCustomer(
                inner.text("date_of", longest=100),
                timedelta(days=days or 0),
                read_clock(inner, "at"),
                inner.flag("every_year"),
            )
        }
    else:
        found = {"local": LocalTime(read_clock(inner, "at"), _read_weekdays(inner))}
    inner.done()
    return found


def _parsed(value: str) -> datetime | None:
    try:
        moment = parse_datetime(value)
    except ValueError:
        return None
    return moment if moment and timezone.is_aware(moment) else None


def _read_weekdays(fields: Fields) -> frozenset[str]:
    given = fields.raw("weekdays") or []
    if not isinstance(given, list) or not all(each in WEEKDAYS for each in given):
        fields.refuse("weekdays", _("Give a list of weekdays, such as [“mon”, “thu”]."))
        return frozenset()
    return frozenset(given)


def _as_date(value: object, zone: str) -> date | None:
    if isinstance(value, datetime):
        return wall_clock.shows(value, zone).date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _moment_of(setting: DateOfCustomer, day: date, now: datetime, zone: str) -> datetime:
    """Return when the date comes, with its offset; of a yearly one the next that has not passed. 29 February is 28 in other years."""
    if not setting.every_year:
        return wall_clock.at(datetime.combine(day + setting.offset, setting.clock), zone)
    year = wall_clock.shows(now, zone).year - 1
    while True:
        found = wall_clock.at(
            datetime.combine(in_year(day, year) + setting.offset, setting.clock), zone
        )
        if found >= now:
            return found
        year += 1


def in_year(day: date, year: int) -> date:
    """Return the anniversary of a day in a year; 29 February is 28 where the year has none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)
