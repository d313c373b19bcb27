"""The funnel page: steps, window and segment of a funnel of events, chosen in a form, and part of the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.timezone import now
from django.utils.translation import gettext as _

from analytics.admin import charts
from analytics.admin.date_range import DateRange
from analytics.funnels import (
    DEFAULT_WINDOW_DAYS,
    MAX_STEPS,
    MIN_STEPS,
    Step,
    check,
    event_funnel,
)
from crm.adminkit import display
from crm.statement_timeout import QueryTimeout
from customers.models import Segment
from customers.segments import event_types
from customers.timeline import types

WINDOWS = (1, 7, 14, 30, 60, 90)
SHOWN_SEGMENTS = 200
EXAMPLES = (
    (types.MESSAGE_SENT, types.MESSAGE_OPENED, types.MESSAGE_CLICKED, types.ORDER_PLACED),
    (types.PAGE_VIEWED, types.ORDER_PLACED),
    (types.ORDER_PLACED, types.ORDER_PLACED, types.ORDER_PLACED),
)
"""Of these, the page begins with the first whose events were recorded."""


@dataclass(frozen=True, slots=True)
class FunnelForm:
    """The values of the form; invalid ones are replaced by the defaults."""

    steps: list[str]
    window_days: int
    segment: Segment | None
    simulated: bool

    @classmethod
    def of(cls, request: HttpRequest, recorded: set[str]) -> FunnelForm:
        given = request.GET
        usual = next((steps for steps in EXAMPLES if recorded.issuperset(steps)), ())
        wanted = given.getlist("step") if "step" in given else usual
        steps = [each for each in wanted if event_types.find(each)][:MAX_STEPS]
        window = given.get("window_days", "")
        days = int(window) if window in map(str, WINDOWS) else DEFAULT_WINDOW_DAYS
        segment = Segment.objects.filter(slug=given.get("segment", "").replace("\0", "")).first()
        return cls(steps, days, segment, given.get("simulated") == "1")

    @property
    def query(self) -> list[tuple[str, str]]:
        window = ("window_days", str(self.window_days))
        segment = [("segment", self.segment.slug)] if self.segment else []
        simulated = [("simulated", "1")] if self.simulated else []
        return [*(("step", each) for each in self.steps), window, *segment, *simulated]


def context(request: HttpRequest) -> dict[str, Any]:
    """Return the context of templates/admin/analytics/funnel.html."""
    date_range = DateRange.of(request, "step", "window_days", "segment", "simulated")
    recorded = set(event_types.types_on_the_timeline())
    form = FunnelForm.of(request, recorded)
    took_too_long = False
    try:
        steps = _steps(form, date_range)
    except QueryTimeout:
        steps, took_too_long = [], True
    csv = f"{reverse('analytics-funnel')}?{date_range.query}&{urlencode(form.query)}&format=csv"
    return {
        "title": _("Funnel"),
        "date_range": date_range,
        "form": form,
        "choices": [(each.name, each.label) for each in event_types.in_use()],
        "fields": [*form.steps, *[""] * min(max(MIN_STEPS - len(form.steps), 1), MAX_STEPS - len(form.steps))],
        "windows": WINDOWS,
        "segments": Segment.objects.order_by("name")[:SHOWN_SEGMENTS],
        "chart": charts.event_funnel(steps, csv) if steps and steps[0].count else None,
        "steps": [_row(place, step) for place, step in enumerate(steps, 1)],
        "completed": display.rate(steps[-1].of_first, 1) if steps and steps[0].count else "",
        "took_too_long": took_too_long,
        "examples": _examples(recorded),
        "has_events": bool(recorded),
    }  # fmt: skip


def _steps(form: FunnelForm, date_range: DateRange) -> list[Step]:
    try:
        check(form.steps, form.window_days)
    except ValueError:
        return []
    return event_funnel(
        form.steps,
        date_range.first,
        date_range.last,
        window_days=form.window_days,
        segment=form.segment.pk if form.segment else None,
        simulated=form.simulated,
    )


def _row(place: int, step: Step) -> dict[str, str]:
    return {
        "name": f"{place}. {capfirst(str(step.label))}",
        "customers": display.people(step.count),
        "of_previous": _rate(step.of_previous),
        "of_first": _rate(step.of_first),
        "median": display.NOTHING if step.median is None else duration(step.median),
    }


def _rate(part: Any) -> str:
    return display.NOTHING if part is None else display.rate(part, 1)


def duration(time: timedelta) -> str:
    """Format a duration by its two largest units, as “2 days, 3 hours”; below a minute in seconds."""
    if time < timedelta(minutes=1):
        return _("%(number)s seconds") % {"number": display.number(round(time.total_seconds()))}
    then = now()
    return timesince(then - time, then)


def _examples(recorded: set[str]) -> list[dict[str, str]]:
    """Return the example funnels whose events were recorded."""
    return [
        {
            "name": " → ".join(str(event.label) for name in steps if (event := event_types.find(name))),
            "query": urlencode([("step", name) for name in steps]),
        }
        for steps in EXAMPLES
        if recorded.issuperset(steps)
    ]  # fmt: skip
