"""The settings of entries, steps and goals as an editor shows them, and their values in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.segments import describe, event_types
from marketing.models import Campaign
from marketing.workflows.reading import EventCondition

Label = str | Promise
PARTS = (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1)))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of an object of the definition, with the control that edits it (static/kindling/workflow/controls.js).

    `choices` maps values to labels; the kinds template, sender, topic, segment, workflow and event have those of the site.
    """

    name: str
    kind: str
    label: Label
    hint: Label = ""
    choices: Mapping[str, Label] = field(default_factory=dict)
    optional: bool = False

    def as_data(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "label": str(self.label),
            "hint": str(self.hint),
            "choices": {value: str(label) for value, label in self.choices.items()},
            "optional": self.optional,
        }


@dataclass(frozen=True, slots=True)
class OneOf:
    """Settings of which an object has those of one option; each option has a label."""

    label: Label
    options: Sequence[tuple[Label, Sequence[Setting]]]

    def as_data(self) -> dict[str, Any]:
        return {
            "kind": "one_of",
            "label": str(self.label),
            "options": [
                {"label": str(label), "settings": [each.as_data() for each in settings]}
                for label, settings in self.options
            ],
        }


Form = Sequence[Setting | OneOf]


def span_in_words(span: timedelta) -> str:
    """Return a length of time as days, hours and minutes."""
    found, left = [], span
    for name, unit in PARTS:
        number, left = divmod(left, unit)
        if number:
            found.append(_counted(name, number))
    if left or not found:
        seconds = left.seconds
        found.append(ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds})
    return " ".join(found)


def _counted(name: str, number: int) -> str:
    match name:
        case "days":
            words = ngettext("%(n)s day", "%(n)s days", number)
        case "hours":
            words = ngettext("%(n)s hour", "%(n)s hours", number)
        case _:
            words = ngettext("%(n)s minute", "%(n)s minutes", number)
    return words % {"n": number}


def event_in_words(condition: EventCondition | None) -> str:
    """Return an event with its conditions, as “Order placed” or “Customers who ordered Books”."""
    if condition is None:
        return ""
    if condition.where:
        rule = {"event": condition.event, "where": [*condition.where], "operator": ">=", "value": 1}
        return describe({"operator": "AND", "conditions": [rule]})
    known = event_types.find(condition.event)
    return str(known.label).capitalize() if known else condition.event


def days_in_words(days: int) -> str:
    """Return a number of days added to a date: “3 days before”, “on” or “1 day after”."""
    if not days:
        return _("on")
    number = abs(days)
    counted = _counted("days", number)
    return _("%(days)s before") % {"days": counted} if days < 0 else _("%(days)s after") % {"days": counted}  # fmt: skip


def weekdays_in_words(weekdays: Iterable[str]) -> str:
    """Return weekdays in their order: “Monday and Thursday”."""
    chosen = set(weekdays)
    return get_text_list([str(day.label) for day in Campaign.Weekday if day in chosen], _("and"))


def clock_in_words(clock: time) -> str:
    """Return a time of day."""
    return f"{clock:%H:%M}"


WEEKDAY_LABELS: dict[str, Label] = {day.value: day.label for day in Campaign.Weekday}
