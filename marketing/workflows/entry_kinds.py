"""The kinds of entry into a workflow, and their settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Segment
from customers.segments import describe
from marketing.models import Campaign
from marketing.workflows.forms import (
    WEEKDAY_LABELS,
    Form,
    Label,
    Setting,
    clock_in_words,
    days_in_words,
    event_in_words,
    weekdays_in_words,
)
from marketing.workflows.local_time import read_clock
from marketing.workflows.reading import LONGEST_PROPERTY, EventCondition, Fields

KINDS = ("event", "segment", "date", "schedule", "api", "workflow")
REGISTERED = "registered_at"
"""The one date of customers that is no personal data."""

_AT = Setting("at", "clock", gettext_lazy("At"), gettext_lazy("Local time of each customer"))
AUDIENCE = Setting(
    "audience",
    "rules",
    gettext_lazy("Only customers who match"),
    optional=True,
)
FORMS: dict[str, tuple[Label, Form]] = {
    "event": (
        gettext_lazy("An event happens"),
        (
            Setting("event", "event", gettext_lazy("Event")),
            Setting(
                "per",
                "property",
                gettext_lazy("One passage for each"),
                gettext_lazy("A property, such as cart_id; without it one for each customer."),
                optional=True,
            ),
        ),
    ),
    "segment": (
        gettext_lazy("A segment is entered or left"),
        (
            Setting("segment", "segment", gettext_lazy("Segment")),
            Setting(
                "way",
                "choice",
                gettext_lazy("When a customer"),
                choices={
                    "entered": gettext_lazy("enters the segment"),
                    "left": gettext_lazy("leaves the segment"),
                },
            ),
            Setting("with_members", "flag", gettext_lazy("Start with its present members")),
        ),
    ),
    "date": (
        gettext_lazy("A date of the customer comes"),
        (
            Setting("date", "date", gettext_lazy("Date")),
            Setting("days", "days", gettext_lazy("Days before or after")),
            _AT,
            Setting("every_year", "flag", gettext_lazy("Every year")),
        ),
    ),
    "schedule": (
        gettext_lazy("On a schedule"),
        (
            Setting(
                "every",
                "choice",
                gettext_lazy("Every"),
                choices={
                    "daily": gettext_lazy("day"),
                    "weekly": gettext_lazy("week"),
                    "monthly": gettext_lazy("month"),
                },
            ),
            Setting(
                "weekdays", "weekdays", gettext_lazy("On"), choices=WEEKDAY_LABELS, optional=True
            ),
            Setting("day_of_month", "number", gettext_lazy("Day of the month"), optional=True),
            Setting("at", "clock", gettext_lazy("At"), gettext_lazy("The workflow's time zone")),
        ),
    ),
    "api": (gettext_lazy("By hand or by the API"), ()),
    "workflow": (gettext_lazy("Another workflow starts it"), ()),
}
"""The label and the form of each kind of entry, but for the audience, which all take."""
INITIAL: dict[str, dict[str, Any]] = {
    "event": {"event": "order_placed"},
    "segment": {"way": "entered"},
    "date": {"date": "date_of_birth", "at": "09:00", "every_year": True},
    "schedule": {"every": "weekly", "weekdays": ["mon"], "at": "09:00"},
}
"""The settings of an entry whose kind was just chosen."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of one kind: `on` says which, and which of the other fields it has.

    event: `condition`, and `per`, the property with a passage for each value. segment: `segment` and `way`. date: `date` (a field of
    the customer), `offset`, `clock` (local), `every_year`. schedule: `frequency`, `clock`, `weekdays`, `day_of_month`. All take
    `audience` rules.
    """

    on: str
    audience: dict[str, Any] | None = None
    condition: EventCondition | None = None
    per: str = ""
    segment: str = ""
    way: str = "entered"
    with_members: bool = False
    date: str = ""
    offset: timedelta = timedelta()
    clock: time = time(9)
    every_year: bool = False
    frequency: str = ""
    weekdays: tuple[str, ...] = ()
    day_of_month: int | None = None

    @property
    def is_by_clock(self) -> bool:
        """Return whether the key of a passage is a time: re-entry then counts from one time to the next."""
        return self.on in ("date", "schedule")

    def in_words(self) -> str:
        """Return what lets customers enter, as a sentence without a full stop."""
        words = self._kind_in_words()
        return f"{words} · {describe(self.audience)}" if self.audience else words

    def _kind_in_words(self) -> str:
        clock = clock_in_words(self.clock)
        match self.on:
            case "event":
                words = event_in_words(self.condition)
                return _("%(event)s, for each %(property)s") % {
                    "event": words, "property": self.per
                } if self.per else words  # fmt: skip
            case "segment" if self.way == "left":
                return _("Leaves “%(segment)s”") % {"segment": self.segment}
            case "segment":
                return _("Enters “%(segment)s”") % {"segment": self.segment}
            case "date":
                words = _("%(days)s %(date)s, %(clock)s") % {
                    "days": days_in_words(self.offset.days).capitalize(),
                    "date": self.date.replace("_", " "),
                    "clock": clock,
                }
                return _("%(date)s, every year") % {"date": words} if self.every_year else words
            case "schedule":
                return _("%(rhythm)s at %(clock)s") % {"rhythm": self._rhythm(), "clock": clock}
        return str(FORMS[self.on][0])

    def _rhythm(self) -> str:
        match self.frequency:
            case "daily":
                return _("Every day")
            case "weekly" if self.weekdays:
                return _("Every %(days)s") % {"days": weekdays_in_words(self.weekdays)}
            case "weekly":
                return _("Every week")
        return _("Every month")

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the message of what keeps the entry from being published."""
        if self.on == "segment" and not Segment.objects.filter(slug=self.segment).exists():
            yield "segment", _("There is no segment “%(slug)s”.") % {"slug": self.segment}


def read_entry(fields: Fields) -> Entry:
    """Return the entry that an object says, after refusing what it says wrong."""
    kind = fields.text("on", required=True, choices=KINDS)
    audience = fields.rules("audience")
    settings: dict[str, Any] = {}
    match kind:
        case "event":
            condition = fields.event()
            settings = {"condition": condition, "per": fields.property_of("per", condition)}
        case "segment":
            settings = {
                "segment": fields.text("segment", required=True, longest=100),
                "way": fields.text("way", default="entered", choices=("entered", "left")),
                "with_members": fields.flag("with_members"),
            }
        case "date":
            settings = {
                "date": read_date(fields, "date"),
                "offset": _offset(fields),
                "clock": read_clock(fields, "at"),
                "every_year": fields.flag("every_year"),
            }
        case "schedule":
            settings = _schedule(fields)
    fields.done()
    return Entry(on=kind or "api", audience=audience, **settings)


def read_date(fields: Fields, key: str) -> str:
    """Return the name of a date of the customer."""
    name = fields.text(key, required=True, longest=LONGEST_PROPERTY)
    if name and name != REGISTERED:
        fields.refuse_personal(key, name)
    return name


def _offset(fields: Fields) -> timedelta:
    days = fields.number("days", low=-366, high=366, default=0)
    return timedelta(days=days or 0)


def _schedule(fields: Fields) -> dict[str, Any]:
    weekdays = fields.raw("weekdays") or []
    if not isinstance(weekdays, list) or not set(weekdays) <= set(Campaign.Weekday.values):
        fields.refuse("weekdays", _("Give a list of weekdays, such as [“mon”, “thu”]."))
        weekdays = []
    day = fields.number("day_of_month", low=1, high=31)
    return {
        "frequency": fields.text("every", required=True, choices=("daily", "weekly", "monthly")),
        "clock": read_clock(fields, "at"),
        "weekdays": tuple(weekdays),
        "day_of_month": None if day is None else int(day),
    }
