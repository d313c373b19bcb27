"""Wait: for a length of time, until a time, until a local time of a weekday, or until a date of the customer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Self

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from marketing.schedule import wall_clock
from marketing.workflows.entry_kinds import REGISTERED, read_date
from marketing.workflows.forms import (
    WEEKDAY_LABELS,
    OneOf,
    Setting,
    clock_in_words,
    days_in_words,
    span_in_words,
    weekdays_in_words,
)
from marketing.workflows.local_time import (
    BEST_HOUR,
    LocalTime,
    best_times,
    read_clock,
    read_weekdays,
    read_window,
    zone_of,
)
from marketing.workflows.passages import Passage
from marketing.workflows.reading import Fields
from marketing.workflows.steps.base import Step
from marketing.workflows.turn import Turn

DATES = ("date_of_birth", REGISTERED)


@dataclass(frozen=True, slots=True)
class DateOfCustomer:
    """A date of the customer with a number of days added, at a local time of day."""

    name: str
    offset: timedelta
    clock: time
    every_year: bool

    def next_of(
        self, customers: Collection[int], now: datetime, zone: str
    ) -> dict[int, datetime | None]:
        """Return when the date comes for customers, by their id; None for those without one. `zone` stands in for an unknown one."""
        column = self.name if self.name in DATES else "attributes"
        rows = Customer.objects.filter(pk__in=customers)
        found: dict[int, datetime | None] = {}
        for pk, known, value in rows.values_list("pk", "timezone", column):
            clock = zone_of(known, zone)
            held = value if self.name in DATES else (value or {}).get(self.name)
            day = _as_date(held, clock)
            found[pk] = _moment_of(self, day, now, clock) if day else None
        return found


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Lets time pass: `for_`, or until a moment, a local time, a date of the customer, or the hour at which they read messages."""

    type = "wait"
    label = gettext_lazy("Wait")
    icon = "hourglass_empty"
    initial = {"for": "1d"}
    form = (
        OneOf(
            gettext_lazy("Wait"),
            (
                (
                    gettext_lazy("For a length of time"),
                    (Setting("for", "span", gettext_lazy("Length")),),
                ),
                (
                    gettext_lazy("Until a time of day"),
                    (
                        Setting(
                            "until",
                            "local_time",
                            gettext_lazy("Local time"),
                            choices=WEEKDAY_LABELS,
                        ),
                    ),
                ),
                (
                    gettext_lazy("Until a date of the customer"),
                    (Setting("until", "date_of", gettext_lazy("Date")),),
                ),
                (
                    gettext_lazy("Until a date and time"),
                    (Setting("until", "moment", gettext_lazy("Time")),),
                ),
                (
                    gettext_lazy("Until the customer's best hour"),
                    (Setting("until", "best_hour", gettext_lazy("Best hour")),),
                ),
                (
                    gettext_lazy("For the hours of a window"),
                    (
                        Setting(
                            "window", "window", gettext_lazy("Local hours"), choices=WEEKDAY_LABELS
                        ),
                    ),
                ),
            ),
        ),
    )
    waits = True

    for_: timedelta | None = None
    moment: datetime | None = None
    local: LocalTime | None = None
    date_of: DateOfCustomer | None = None
    best_hour: bool = False

    @property
    def shows_personal_data(self) -> bool:
        """Return whether its end follows from a date that may be masked."""
        return self.date_of is not None and self.date_of.name != REGISTERED

    @classmethod
    def read(cls, key: str, fields: Fields) -> Self:
        """Read `for`, `until` (a moment, best_hour, or an object with weekdays, at, or date_of), or `window`, which best_hour may have."""
        given = {name for name in ("for", "until", "window") if name in fields}
        best_hour = fields.raw("until") == BEST_HOUR
        if len(given) != 1 and not (best_hour and "for" not in given):
            fields.refuse("", _("Give one of: for, until, window."))
        settings: dict[str, Any] = {
            "for_": fields.span("for"),
            "local": read_window(fields.inner("window")),
            "best_hour": best_hour,
            **({} if best_hour else _read_until(fields)),
        }
        return cls(key, fields.targets("", main=""), **settings)

    def arrive(self, turn: Turn, passages: Sequence[Passage]) -> None:
        untils = self._untils(turn, {each.customer_id for each in passages})
        for each in passages:
            until = untils.get(each.customer_id)
            if until is None or until <= turn.now:
                self.go(turn, [each])
            else:
                turn.hold([each], until)

    def wake(self, turn: Turn, passages: Sequence[Passage]) -> None:
        for each in passages:
            assert each.due_at
            if each.due_at <= turn.now:
                self.go(turn, [each])
            else:
                turn.hold([each], each.due_at)

    def shortest(self, branch: str) -> timedelta:
        return self.for_ or timedelta()

    def in_words(self) -> str:
        if self.for_ is not None:
            return span_in_words(self.for_)
        if self.moment is not None:
            return _("until %(when)s") % {"when": f"{self.moment:%Y-%m-%d %H:%M %Z}"}
        if self.best_hour:
            return _("until the best hour")
        if self.date_of is not None:
            return _("%(days)s %(date)s, %(clock)s") % {
                "days": days_in_words(self.date_of.offset.days),
                "date": self.date_of.name.replace("_", " "),
                "clock": clock_in_words(self.date_of.clock),
            }
        assert self.local
        clock = clock_in_words(self.local.clock)
        if self.local.until:
            clock = f"{clock}–{clock_in_words(self.local.until)}"
        days = weekdays_in_words(self.local.weekdays)
        return _("until %(when)s") % {"when": f"{days} {clock}".strip()}

    def _untils(self, turn: Turn, customers: Collection[int]) -> Mapping[int, datetime | None]:
        """Return until when customers wait, by their id; None for one that goes at once."""
        zone = turn.workflow.timezone
        if self.for_ is not None or self.moment is not None:
            return dict.fromkeys(customers, self.moment or turn.now + (self.for_ or timedelta()))
        if self.best_hour:
            return {**best_times(customers, self.local, turn.now, zone)}
        if self.local is not None:
            zones = Customer.objects.filter(pk__in=customers).values_list("pk", "timezone")
            return {pk: self.local.after(turn.now, zone_of(known, zone)) for pk, known in zones}
        assert self.date_of
        return self.date_of.next_of(customers, turn.now, zone)


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
                read_date(inner, "date_of"),
                timedelta(days=days or 0),
                read_clock(inner, "at"),
                inner.flag("every_year"),
            )
        }
    else:
        found = {"local": LocalTime(read_clock(inner, "at"), read_weekdays(inner))}
    inner.done()
    return found


def _parsed(value: str) -> datetime | None:
    try:
        moment = parse_datetime(value)
    except ValueError:
        return None
    return moment if moment and timezone.is_aware(moment) else None


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
