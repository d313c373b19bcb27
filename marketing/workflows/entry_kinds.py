"""The kinds of entry into a workflow, and their settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from customers.models import Segment
from marketing.models import Campaign
from marketing.workflows.local_time import read_clock
from marketing.workflows.reading import LONGEST_PROPERTY, EventCondition, Fields

KINDS = ("event", "segment", "date", "schedule", "api", "workflow")
REGISTERED = "registered_at"
"""The one date of customers that is no personal data."""


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
