"""Entries by the clock: schedules, dates of customers, and the members of a segment at activation.

An audience enters chunk by chunk, each in a transaction of its own; `Workflow.entering` says how far it came.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from crm.nudge import nudge
from customers.models import Customer, SegmentMembership
from customers.segments import matching
from marketing.messages import zones
from marketing.models import Workflow
from marketing.schedule import Rhythm, wall_clock
from marketing.workflows.definition import published
from marketing.workflows.entries import ADVANCE, Entrant, enter
from marketing.workflows.entry_kinds import Entry
from marketing.workflows.local_time import WEEKDAYS
from marketing.workflows.steps.wait import DATES, in_year

CHUNK = 5_000
DAY = timedelta(days=1)
LONGEST_LOOK_BACK = timedelta(days=1)
"""Entries that were due while no worker ran are made up for within a day."""


def enter_by_clock(*, now: datetime | None = None) -> bool:
    """Let customers enter the active workflows whose time has come, a chunk of each; returns whether there are more."""
    now = now or timezone.now()
    active = Workflow.objects.filter(state=Workflow.State.ACTIVE).order_by("pk")
    return True in [_enter(pk, now) for pk in active.values_list("pk", flat=True)]


@transaction.atomic
def _enter(workflow_id: int, now: datetime) -> bool:
    active = Workflow.objects.filter(pk=workflow_id, state=Workflow.State.ACTIVE)
    workflow = active.select_for_update(skip_locked=True, no_key=True).first()
    if workflow is None or workflow.version_id is None:
        return False
    entry = published(workflow.version_id).entry
    if not workflow.entering:
        if entry.on == "schedule":
            workflow.entering = _newest_occurrence(workflow, entry, now)
        elif entry.on == "date":
            _enter_by_date(workflow, entry, now)
        workflow.entered_until = now
    if workflow.entering:
        _enter_chunk(workflow, now)
    workflow.save(update_fields=["entering", "entered_until"])
    return bool(workflow.entering)


def _newest_occurrence(workflow: Workflow, entry: Entry, now: datetime) -> dict[str, Any]:
    """Return the audience that enters now, as Workflow.entering says; nothing before the next time of the schedule."""
    since = max(workflow.entered_until or now, now - LONGEST_LOOK_BACK)
    activated = workflow.activated_at or workflow.created_at
    due = rhythm(workflow, entry, activated).between(since, now)
    return {"key": due[-1].isoformat(), "after": 0} if due else {}


def rhythm(workflow: Workflow, entry: Entry, since: datetime) -> Rhythm:
    """Return the times of an entry by schedule, from the day of a moment on."""
    day = wall_clock.shows(since, workflow.timezone).date()
    return Rhythm(
        first=wall_clock.at(datetime.combine(day, entry.clock), workflow.timezone),
        zone=workflow.timezone,
        frequency=entry.frequency,
        weekdays=frozenset(WEEKDAYS.index(each) for each in entry.weekdays),
        day_of_month=entry.day_of_month,
    )


def _enter_chunk(workflow: Workflow, now: datetime) -> None:
    after, key = workflow.entering["after"], workflow.entering["key"]
    if slug := workflow.entering.get("segment"):
        members = SegmentMembership.objects.filter(segment__slug=slug, customer_id__gt=after)
        customers = list(
            members.order_by("customer_id").values_list("customer_id", flat=True)[:CHUNK]
        )
    else:
        assert workflow.version_id
        audience = published(workflow.version_id).entry.audience
        people = Customer.objects.all() if audience is None else matching(audience, now=now)
        chunk = people.filter(pk__gt=after, erased_at=None).order_by("pk")
        customers = list(chunk.values_list("pk", flat=True)[:CHUNK])
    if enter(workflow, [Entrant(each, now, key) for each in customers], now=now):
        nudge(ADVANCE)
    is_last = len(customers) < CHUNK
    workflow.entering = {} if is_last else {**workflow.entering, "after": customers[-1]}


def _enter_by_date(workflow: Workflow, entry: Entry, now: datetime) -> None:
    """Let the customers enter whose date, with its offset, came at their local time since the last look."""
    since = max(workflow.entered_until or now, now - LONGEST_LOOK_BACK)
    for day, in_zones in _days_due(entry, since, now).items():
        wanted = day - entry.offset
        customers = with_date(entry, wanted, in_zones, workflow.timezone)
        entrants = [
            Entrant(each, now, day.isoformat(), {"date": day.isoformat()}) for each in customers
        ]
        for start in range(0, len(entrants), CHUNK):
            if enter(workflow, entrants[start : start + CHUNK], now=now):
                nudge(ADVANCE)


def _days_due(entry: Entry, since: datetime, now: datetime) -> dict[date, list[str]]:
    """Return the days whose local time of the entry came between two moments, with the time zones in which it did."""
    found: dict[date, list[str]] = {}
    for zone in zones():
        for day in _days(since, now):
            if since < wall_clock.at(datetime.combine(day, entry.clock), zone) <= now:
                found.setdefault(day, []).append(zone)
    return found


def _days(since: datetime, now: datetime) -> Iterator[date]:
    """Yield the days that a clock anywhere may show between two moments."""
    day = since.date() - DAY
    while day <= now.date() + DAY:
        yield day
        day += DAY


def with_date(entry: Entry, day: date, in_zones: list[str], default_zone: str) -> list[int]:
    """Return the customers in these time zones whose date is that day, or its anniversary; an unknown zone is the workflow's."""
    column = entry.date if entry.date in DATES else "attributes ->> %(name)s"
    written = f"left(({column})::text, 10)"
    if entry.date == "registered_at":
        written = (
            "left((registered_at AT TIME ZONE coalesce(nullif(timezone, ''), 'UTC'))::text, 10)"
        )
    days = [day.isoformat()]
    if entry.every_year:
        written = f"substr({written}, 6, 5)"
        days = [day.strftime("%m-%d")]
        if (day.month, day.day) == (2, 28) and in_year(date(2024, 2, 29), day.year).day == 28:
            days.append("02-29")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id FROM customers_customer
            WHERE erased_at IS NULL AND {written} = ANY(%(days)s)
              AND (timezone = ANY(%(zones)s) OR (%(default)s AND NOT timezone = ANY(%(known)s)))
            ORDER BY id
            """,
            {
                "name": entry.date,
                "days": days,
                "zones": in_zones,
                "default": default_zone in in_zones,
                "known": sorted(zones()),
            },
        )
        return [row[0] for row in cursor.fetchall()]
