"""The funnel of events that an address asks for: which steps, begun when, by whom and how quickly."""

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
from analytics.admin.date_range import Span
from analytics.event_funnel import FEWEST, MOST, USUAL_WINDOW, check, event_funnel
from analytics.funnel import Step
from crm.adminkit import display
from crm.statement_timeout import QueryTimeout
from customers import events
from customers.models import Segment
from customers.segments import event_types

WINDOWS = (1, 7, 14, 30, 60, 90)
SHOWN_SEGMENTS = 200
EXAMPLES = (
    (events.PAGE_VIEWED, events.ORDER_PLACED),
    (events.MESSAGE_SENT, events.MESSAGE_OPENED, events.MESSAGE_CLICKED, events.ORDER_PLACED),
    (events.ORDER_PLACED, events.ORDER_PLACED, events.ORDER_PLACED),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form holds; what makes no sense is as if it were not asked."""

    steps: list[str]
    window_days: int
    segment: Segment | None
    simulated: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Asked:
        given = request.GET
        steps = [each for each in given.getlist("step") if event_types.find(each)][:MOST]
        window = given.get("window_days", "")
        days = int(window) if window in map(str, WINDOWS) else USUAL_WINDOW
        segment = Segment.objects.filter(slug=given.get("segment", "").replace("\0", "")).first()
        return cls(steps, days, segment, given.get("simulated") == "1")

    @property
    def query(self) -> list[tuple[str, str]]:
        narrowed = [("segment", self.segment.slug)] if self.segment else []
        rehearsed = [("simulated", "1")] if self.simulated else []
        window = ("window_days", str(self.window_days))
        return [*(("step", each) for each in self.steps), window, *narrowed, *rehearsed]


def context(request: HttpRequest) -> dict[str, Any]:
    """What templates/admin/analytics/funnel.html shows."""
    span = Span.asked(request, "step", "window_days", "segment", "simulated")
    asked = Asked.of(request)
    took_too_long = False
    try:
        steps = _steps(asked, span)
    except QueryTimeout:
        steps, took_too_long = [], True
    there = set(event_types.types_on_the_timeline())
    csv = f"{reverse('analytics-funnel')}?{span.query}&{urlencode(asked.query)}&format=csv"
    return {
        "title": _("Funnel"),
        "span": span,
        "asked": asked,
        "choices": [(each.name, each.label) for each in event_types.in_use()],
        "fields": [*asked.steps, *[""] * min(max(FEWEST - len(asked.steps), 1), MOST - len(asked.steps))],
        "windows": WINDOWS,
        "segments": Segment.objects.order_by("name")[:SHOWN_SEGMENTS],
        "chart": charts.event_funnel(steps, csv) if steps and steps[0].count else None,
        "steps": [_row(place, step) for place, step in enumerate(steps, 1)],
        "whole": display.rate(steps[-1].of_first, 1) if steps and steps[0].count else "",
        "took_too_long": took_too_long,
        "examples": _examples(there),
        "has_events": bool(there),
    }  # fmt: skip


def _steps(asked: Asked, span: Span) -> list[Step]:
    try:
        check(asked.steps, asked.window_days)
    except ValueError:
        return []
    return event_funnel(
        asked.steps,
        span.first,
        span.last,
        window_days=asked.window_days,
        segment=asked.segment.pk if asked.segment else None,
        simulated=asked.simulated,
    )


def _row(place: int, step: Step) -> dict[str, str]:
    return {
        "name": f"{place}. {capfirst(str(step.label))}",
        "people": display.number(step.count),
        "of_previous": _rate(step.of_previous),
        "of_first": _rate(step.of_first),
        "median": display.NOTHING if step.median is None else duration(step.median),
    }


def _rate(part: Any) -> str:
    return display.NOTHING if part is None else display.rate(part, 1)


def duration(time: timedelta) -> str:
    """The two largest units: “2 days, 3 hours”; below a minute in seconds."""
    if time < timedelta(minutes=1):
        return _("%(number)s seconds") % {"number": display.number(round(time.total_seconds()))}
    then = now()
    return timesince(then - time, then)


def _examples(there: set[str]) -> list[dict[str, str]]:
    """Those whose steps have happened."""
    return [
        {
            "name": " → ".join(str(event.label) for name in way if (event := event_types.find(name))),
            "query": urlencode([("step", name) for name in way]),
        }
        for way in EXAMPLES
        if there.issuperset(way)
    ]  # fmt: skip
