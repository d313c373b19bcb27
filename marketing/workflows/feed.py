"""React to events: let customers enter workflows, wake passages, and record goals.

An event decides nothing here: it wakes a passage, and the engine looks at what has happened.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from crm.nudge import nudge
from customers import timeline
from customers.segments import RuleError
from marketing.models import Workflow, WorkflowVersion
from marketing.workflows import evidence
from marketing.workflows.definition import Goal, published
from marketing.workflows.entries import ADVANCE, Entrant, enter, enter_by_events
from marketing.workflows.steps.wait_for import ANY_EVENT

logger = logging.getLogger(__name__)


def react_to_events(rows: Sequence[timeline.Row]) -> None:
    """Let the customers of new events enter workflows, and wake the passages that the events may concern."""
    types = {row.type for row in rows}
    started = Workflow.objects.filter(state__in=[Workflow.State.ACTIVE, Workflow.State.PAUSED])
    _meet_goals(started, rows)
    active = list(started.filter(state=Workflow.State.ACTIVE).order_by("pk"))
    if not active:
        return
    woken = _wake([(row.customer_id, row.type) for row in rows], active)
    entered = 0
    for workflow in active:
        assert workflow.version_id
        entry = published(workflow.version_id).entry
        if entry.condition is not None and entry.condition.event in types:
            entered += _entered(workflow, rows)
    if woken or entered:
        nudge(ADVANCE)


def react_to_changes(customers: Collection[int]) -> None:
    """Wake the passages of changed customers whose steps or exits go by rules."""
    active = list(Workflow.objects.filter(state=Workflow.State.ACTIVE))
    if active and customers and _wake([(each, ANY_EVENT) for each in customers], active):
        nudge(ADVANCE)


def enter_by_segment(slug: str, way: str, customers: Sequence[int], at: datetime) -> None:
    """Let customers who entered or left a segment enter the workflows that wait for it."""
    entered = 0
    for workflow in Workflow.objects.filter(state=Workflow.State.ACTIVE).order_by("pk"):
        assert workflow.version_id
        entry = published(workflow.version_id).entry
        if (entry.on, entry.segment, entry.way) == ("segment", slug, way):
            entered += len(enter(workflow, [Entrant(each, at) for each in customers]))
    if entered:
        nudge(ADVANCE)


def segments_entered_by() -> set[str]:
    """Return the slugs of the segments whose changes let customers enter an active workflow."""
    active = Workflow.objects.filter(state=Workflow.State.ACTIVE, version__isnull=False)
    entries = [published(each).entry for each in active.values_list("version", flat=True)]
    return {entry.segment for entry in entries if entry.on == "segment"}


def _entered(workflow: Workflow, rows: Sequence[timeline.Row]) -> int:
    try:
        with transaction.atomic():
            return enter_by_events(workflow, rows)
    except RuleError:
        logger.warning("Workflow %s no longer fits its event or its audience.", workflow.pk)
        return 0


_WAKE = """
    UPDATE marketing_enrollment AS passage SET wake_at = %(now)s
    FROM unnest(%(customers)s::bigint[], %(types)s::text[]) AS event (customer, type)
    WHERE passage.state = 'waiting' AND passage.customer_id = event.customer AND passage.wake_at > %(now)s
      AND passage.workflow_id = ANY(%(workflows)s) AND (
        passage.waiting_for IN (event.type, %(any)s) OR passage.workflow_id = ANY(%(by_rules)s)
        OR (passage.workflow_id, event.type) IN (
            SELECT * FROM unnest(%(exiting)s::bigint[], %(exit_types)s::text[])
        )
      )
"""


def _wake(events: Collection[tuple[int, str]], active: Sequence[Workflow]) -> int:
    """Have the engine look at waiting passages that events may concern, by their step or by an exit; returns how many."""
    by_rules, exits = set[int](), set[tuple[int, str]]()
    versions = WorkflowVersion.objects.filter(workflow__in=active)
    for version_id, workflow_id in versions.values_list("pk", "workflow_id"):
        found = published(version_id).exits
        exits |= {(workflow_id, each.event) for each in found.events}
        if found.rules:
            by_rules.add(workflow_id)
    pairs = sorted(set(events))
    with connection.cursor() as cursor:
        cursor.execute(
            _WAKE,
            {
                "now": timezone.now(),
                "customers": [customer for customer, _type in pairs],
                "types": [kind for _customer, kind in pairs],
                "workflows": [each.pk for each in active],
                "any": ANY_EVENT,
                "by_rules": sorted(by_rules),
                "exiting": [workflow for workflow, _event in sorted(exits)],
                "exit_types": [event for _workflow, event in sorted(exits)],
            },
        )
        return cursor.rowcount


def _meet_goals(started: Iterable[Workflow], rows: Sequence[timeline.Row]) -> None:
    for workflow in started:
        assert workflow.version_id
        goal = published(workflow.version_id).goal
        if goal is not None and any(row.type == goal.condition.event for row in rows):
            _meet_goal(workflow, goal, rows)


_MEET = """
    WITH met AS (
        UPDATE marketing_enrollment AS passage SET goal_at = first.at, goal_value = first.value
        FROM (
            SELECT DISTINCT ON (entered.id) entered.id, event.at, event.value
            FROM unnest(%(customers)s::bigint[], %(times)s::timestamptz[], %(values)s::numeric[]) AS event (customer, at, value)
            JOIN marketing_enrollment AS entered ON entered.workflow_id = %(workflow)s AND entered.customer_id = event.customer
            WHERE goal_at IS NULL AND event.at >= entered_at AND event.at < entered_at + %(window)s::interval
            ORDER BY entered.id, event.at
        ) AS first
        WHERE passage.id = first.id AND goal_at IS NULL
        RETURNING passage.id, passage.version_id, passage.customer_id, passage.step, goal_at
    )
    INSERT INTO marketing_enrollmentevent (enrollment_id, workflow_id, version_id, customer_id, kind, step, at)
    SELECT id, %(workflow)s, version_id, customer_id, 'goal', step, goal_at FROM met
"""


def _meet_goal(workflow: Workflow, goal: Goal, rows: Sequence[timeline.Row]) -> None:
    """Record the first fitting event of each passage within its window; for passages that have ended, too."""
    fitting = evidence.fitting(goal.condition, rows)
    properties = evidence.properties_of(fitting)
    parameters: dict[str, Any] = {
        "workflow": workflow.pk,
        "window": goal.window,
        "customers": [row.customer_id for row in fitting],
        "times": [row.occurred_at for row in fitting],
        "values": [evidence.as_amount(properties[row.id].get(goal.value)) for row in fitting],
    }
    with connection.cursor() as cursor:
        cursor.execute(_MEET, parameters)
