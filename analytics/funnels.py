"""Funnels: of campaigns, from audience to order by counters; and of events, from event to event on the timeline.

A customer's attempt at a funnel of events begins with each first step within the days, and continues with the earliest next step that is
later than the previous one and within the window of the first. Of several attempts the one that reached the latest step counts, and of
those the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from analytics import metrics
from analytics.background_cache import cached
from analytics.days import day_bounds
from analytics.metrics import Totals
from crm import masking
from crm.statement_timeout import statement_timeout
from customers.segments import event_types
from customers.timeline import types
from marketing.models import CampaignRun

MIN_STEPS, MAX_STEPS = 2, 8
DEFAULT_WINDOW_DAYS, MAX_WINDOW_DAYS = 30, 365
"""From the first step to the last."""
FRESH_FOR = timedelta(minutes=5)
TIMEOUT_MS = 25_000
SEPARATOR = "|"
"""Joins the steps to one text; no event type has it in its name."""

# refunds are no purchases; events of simulated messages count only in a funnel of simulated messages
_EVENTS = f"""
    SELECT happened.customer_id, happened.occurred_at AS at, happened.type
    FROM customers_interaction happened {{members}}
    WHERE happened.type = ANY(%(types)s)
      AND happened.occurred_at >= %(since)s AND happened.occurred_at < %(until)s::timestamptz + %(window)s
      AND (happened.type = '{types.ORDER_PLACED}' AND happened.properties ->> 'amount' LIKE '-%%') IS NOT TRUE
      AND (happened.execution_id IS NULL OR coalesce(happened.properties ->> 'simulated', 'false') = %(simulated)s)
"""
_OF_SEGMENT = """
    JOIN customers_segmentmembership member ON member.customer_id = happened.customer_id AND member.segment_id = %(segment)s
"""
# backwards through the events of each customer: at each event of a step, the earliest times of it and of the steps after it
_CHAINED = """
    SELECT customer_id, at, type, CASE WHEN type = (%(types)s::text[])[{step}] THEN at || min(chain) OVER later END AS chain
    FROM ({after}) AS after
    WINDOW later AS (PARTITION BY customer_id ORDER BY at DESC GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
"""
_LAST = "SELECT *, CASE WHEN type = (%(types)s::text[])[{step}] THEN ARRAY[at] END AS chain FROM ({events}) AS events"
_FUNNEL = """
    WITH attempts AS (
        SELECT customer_id, chain, {reached} AS reached
        FROM ({chained}) AS chained WHERE chain IS NOT NULL AND at < %(until)s
    ), best AS (
        SELECT DISTINCT ON (customer_id) chain, reached FROM attempts ORDER BY customer_id, reached DESC, chain[1]
    )
    SELECT {figures} FROM best
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A step with fractions of the previous and of the first step, None if that is empty; `median` is the time from the previous step."""

    key: str
    label: str
    count: int
    of_previous: Decimal | None
    of_first: Decimal | None
    median: timedelta | None = None

    @property
    def share(self) -> Decimal:
        """Return the width of a bar, 0 to 1."""
        return min(self.of_first or Decimal(0), Decimal(1))


@dataclass(frozen=True, slots=True)
class Reached:
    """Number of customers who reached a step, and their median time from the previous step."""

    customers: int
    median: timedelta | None


def campaign_funnel(runs: QuerySet[CampaignRun], totals: Totals | None = None) -> list[Step]:
    """Return the steps of these runs: audience, sent, delivered, opened, clicked, converted.

    The audience of a run that has not collected it yet is at least what the run has sent.
    """
    totals = totals or metrics.totals(runs)
    audience: int = runs.aggregate(customers=Sum("audience"))["customers"] or 0
    return _steps([("audience", _("Audience"), max(audience, totals.sent)), *_counts(totals)])


def message_funnel(totals: Totals) -> list[Step]:
    """Return the steps from sent on, for totals that are not of whole runs, such as those of some days."""
    return _steps(_counts(totals))


def event_funnel(
    types: Sequence[str],
    first: date,
    last: date,
    *,
    window_days: int = DEFAULT_WINDOW_DAYS,
    segment: int | None = None,
    simulated: bool = False,
) -> list[Step]:
    """Return the steps of a funnel begun from `first` to `last` by all customers or by the present members of a segment.

    Either real or simulated messages count. Raises ValueError for an invalid funnel, and
    crm.statement_timeout.QueryTimeout after TIMEOUT_MS.
    """
    check(types, window_days)
    found = reached(SEPARATOR.join(types), first, last, window_days, segment, simulated)
    steps = _steps(
        [
            (name, _label(name), masking.rounded(step.customers))
            for name, step in zip(types, found, strict=True)
        ]
    )
    return [replace(step, median=each.median) for step, each in zip(steps, found, strict=True)]


def check(types: Sequence[str], window_days: int) -> None:
    """Validate a funnel of events. Raises ValueError."""
    if not MIN_STEPS <= len(types) <= MAX_STEPS:
        raise ValueError(
            _("A funnel has %(least)s to %(most)s steps.") % {"least": MIN_STEPS, "most": MAX_STEPS}
        )
    if unknown := [each for each in types if event_types.find(each) is None]:
        raise ValueError(_("“%s” is not a valid event type.") % unknown[0][:60])
    if not 1 <= window_days <= MAX_WINDOW_DAYS:
        raise ValueError(_("A window has 1 to %s days.") % MAX_WINDOW_DAYS)


@cached(FRESH_FOR)
def reached(
    types: str, first: date, last: date, window_days: int, segment: int | None, simulated: bool
) -> list[Reached]:
    """Count the customers of each step; some seconds for millions of events."""
    names = types.split(SEPARATOR)
    since, until = day_bounds(first, last)
    parameters: dict[str, Any] = {
        "types": names,
        "since": since,
        "until": until,
        "window": timedelta(days=window_days),
        "segment": segment,
        "simulated": "true" if simulated else "false",
    }
    with statement_timeout(TIMEOUT_MS), connection.cursor() as cursor:
        cursor.execute(_sql(len(names), of_segment=segment is not None), parameters)
        row = cursor.fetchone()
    return [
        Reached(customers, median) for customers, median in zip(row[::2], row[1::2], strict=True)
    ]


def _sql(steps: int, *, of_segment: bool) -> str:
    chained = _LAST.format(
        step=steps, events=_EVENTS.format(members=_OF_SEGMENT if of_segment else "")
    )
    for step in range(steps - 1, 0, -1):
        chained = _CHAINED.format(step=step, after=chained)
    later = range(2, steps + 1)
    in_time = [f"coalesce((chain[{n}] <= chain[1] + %(window)s)::int, 0)" for n in later]
    figures = [
        f"count(*) FILTER (WHERE reached >= {n}),"
        f" percentile_cont(0.5) WITHIN GROUP (ORDER BY chain[{n}] - chain[{n - 1}]) FILTER (WHERE reached >= {n})"
        for n in later
    ]
    return _FUNNEL.format(
        reached=" + ".join(["1", *in_time]),
        chained=chained,
        figures=", ".join(["count(*), NULL::interval", *figures]),
    )


def _label(name: str) -> str:
    event = event_types.find(name)
    return str(event.label) if event else name


def _counts(totals: Totals) -> list[tuple[str, str, int]]:
    """Return key, label and count of each step; delivered is Totals.arrived, for providers that report no deliveries."""
    return [
        ("sent", _("Sent"), totals.sent),
        ("delivered", _("Delivered"), totals.arrived),
        ("opened", _("Opened"), totals.opened),
        ("clicked", _("Clicked"), totals.clicked),
        ("converted", _("Converted"), totals.converted),
    ]


def _steps(counts: Sequence[tuple[str, str, int]]) -> list[Step]:
    steps: list[Step] = []
    for key, label, count in counts:
        previous, first = (steps[-1].count, steps[0].count) if steps else (0, 0)
        of_first = _fraction(count, first or count)
        steps.append(Step(key, label, count, _fraction(count, previous), of_first))
    return steps


def _fraction(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / Decimal(whole) if whole else None
