"""How many people did one thing, then the next, and so on: a funnel of events of the timeline, in order and in time.

A person's attempt begins with each first step within the days. From there it goes on to the earliest next step that is later than the one
before, as long as that is within the window of the first. Of several attempts the one that came furthest counts, and of those the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from analytics.background_cache import keep
from analytics.commerce import day_bounds
from analytics.funnel import Step, steps_of_counts
from crm.statement_timeout import statement_timeout
from customers import events
from customers.segments import event_types

FEWEST, MOST = 2, 8
"""Steps of a funnel."""
USUAL_WINDOW, LONGEST_WINDOW = 30, 365
"""Days from the first step to the last."""
FRESH = timedelta(minutes=5)
PATIENCE_MS = 25_000
BETWEEN = "|"
"""Stands between the steps where they are one text; no kind of event has it in its name."""

# refunds are no purchases; a simulated message is none either, unless it is asked for
_EVENTS = f"""
    SELECT happened.customer_id, happened.occurred_at AS at, happened.type
    FROM customers_interaction happened {{members}}
    WHERE happened.type = ANY(%(types)s)
      AND happened.occurred_at >= %(since)s AND happened.occurred_at < %(until)s::timestamptz + %(window)s
      AND (happened.type = '{events.ORDER_PLACED}' AND happened.properties ->> 'amount' LIKE '-%%') IS NOT TRUE
      AND (happened.execution_id IS NULL OR coalesce(happened.properties ->> 'simulated', 'false') = %(simulated)s)
"""
_OF_SEGMENT = """
    JOIN customers_segmentmembership member ON member.customer_id = happened.customer_id AND member.segment_id = %(segment)s
"""
# backwards through each person's events: at every one of a step, when it and the steps after it come first
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
class Reached:
    """How many people came to a step, and the median time that they took from the one before."""

    people: int
    median: timedelta | None


def event_funnel(
    types: Sequence[str],
    first: date,
    last: date,
    *,
    window_days: int = USUAL_WINDOW,
    segment: int | None = None,
    simulated: bool = False,
) -> list[Step]:
    """The steps of two to eight kinds of events, begun on the days from `first` to `last`, by all or by those who are in a segment now.

    Messages of simulated campaigns count only if asked for, and then no others do. Raises ValueError for what is no funnel, and
    crm.statement_timeout.QueryTimeout where too much has happened for the database to read in PATIENCE_MS.
    """
    check(types, window_days)
    found = reached(BETWEEN.join(types), first, last, window_days, segment, simulated)
    steps = steps_of_counts(
        [(name, _label(name), step.people) for name, step in zip(types, found, strict=True)]
    )
    return [replace(step, median=each.median) for step, each in zip(steps, found, strict=True)]


def check(types: Sequence[str], window_days: int) -> None:
    """Raises ValueError, with what is wrong in words."""
    if not FEWEST <= len(types) <= MOST:
        raise ValueError(
            _("A funnel has %(least)s to %(most)s steps.") % {"least": FEWEST, "most": MOST}
        )
    if unknown := [each for each in types if event_types.find(each) is None]:
        raise ValueError(_("“%s” cannot be the name of an event.") % unknown[0][:60])
    if not 1 <= window_days <= LONGEST_WINDOW:
        raise ValueError(_("A window has 1 to %s days.") % LONGEST_WINDOW)


@keep(FRESH)
def reached(
    types: str, first: date, last: date, window_days: int, segment: int | None, simulated: bool
) -> list[Reached]:
    """Of each step. Every event of the kinds and days is read, some seconds for millions, so the answer is kept."""
    names = types.split(BETWEEN)
    since, until = day_bounds(first, last)
    parameters: dict[str, Any] = {
        "types": names,
        "since": since,
        "until": until,
        "window": timedelta(days=window_days),
        "segment": segment,
        "simulated": "true" if simulated else "false",
    }
    with statement_timeout(PATIENCE_MS), connection.cursor() as cursor:
        cursor.execute(_sql(len(names), of_segment=segment is not None), parameters)
        row = cursor.fetchone()
    return [Reached(people, median) for people, median in zip(row[::2], row[1::2], strict=True)]


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
