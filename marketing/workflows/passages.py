"""Passages in memory: locked rows of enrollments, moved by the engine and written back by one statement."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count

from marketing.models import CampaignExecution, Enrollment, EnrollmentEvent, WorkflowStep

State = Enrollment.State
Kind = EnrollmentEvent.Kind

COLUMNS = (
    *("id", "customer_id", "entry_key", "version_id", "step", "state", "entered_at"),
    *("came_at", "left_at", "visits", "due_at", "wake_at", "waiting_for"),
)
_SELECT = ", ".join(f"passage.{column}" for column in COLUMNS)


@dataclass(slots=True)
class Passage:
    """A row of an enrollment that this transaction holds. `answers` has what its steps learned in this transaction."""

    id: int
    customer_id: int
    entry_key: str
    version_id: int
    step: str
    state: str
    entered_at: datetime
    came_at: datetime | None
    left_at: datetime | None
    visits: int
    due_at: datetime | None
    wake_at: datetime | None
    waiting_for: str
    exit_reason: str = ""
    error: str = ""
    ended_at: datetime | None = None
    answers: dict[str, Any] = field(default_factory=dict)

    @property
    def visit(self) -> str:
        """Return the name of the present visit, which has at most one effect outside."""
        return f"{self.id}:{self.visits}"

    @property
    def all_visits(self) -> list[str]:
        """Return the names of all visits so far."""
        return [f"{self.id}:{number}" for number in range(1, self.visits + 1)]

    @property
    def under_way(self) -> bool:
        return self.state in Enrollment.UNDER_WAY


@dataclass(slots=True)
class Happening:
    """An event of a passage, to be written."""

    passage: Passage
    kind: str
    step: str = ""
    branch: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def lock_due(workflow_id: int, now: datetime, limit: int) -> list[Passage]:
    """Lock the passages of a workflow that are due, the longest due first; another worker's are skipped."""
    return _fetch(
        f"""
        SELECT {_SELECT} FROM marketing_enrollment AS passage
        WHERE workflow_id = %s AND wake_at <= %s ORDER BY wake_at, id LIMIT %s
        FOR UPDATE SKIP LOCKED
        """,
        [workflow_id, now, limit],
    )


def lock(ids: Sequence[int]) -> list[Passage]:
    """Lock passages under way by their ids, in that order."""
    return _fetch(
        f"""
        SELECT {_SELECT} FROM marketing_enrollment AS passage
        WHERE id = ANY(%s) AND state IN ('active', 'waiting') ORDER BY id
        FOR UPDATE
        """,
        [list(ids)],
    )


def lock_of_customers(workflow_id: int, customers: Sequence[int]) -> list[Passage]:
    """Lock the passages under way of these customers in a workflow."""
    return _fetch(
        f"""
        SELECT {_SELECT} FROM marketing_enrollment AS passage
        WHERE workflow_id = %s AND customer_id = ANY(%s) AND state IN ('active', 'waiting')
        ORDER BY id FOR UPDATE
        """,
        [workflow_id, list(customers)],
    )


def standing(workflow_id: int) -> dict[str, int]:
    """Return the number of passages under way by the step at which they stand."""
    under_way = Enrollment.objects.filter(workflow=workflow_id, state__in=Enrollment.UNDER_WAY)
    return dict(under_way.values_list("step").annotate(number=Count("pk")).order_by("step"))


def contexts(passages: Sequence[Passage]) -> dict[int, dict[str, Any]]:
    """Return what the variables `entry` and `steps` stand for, by passage id: the entry event, answers, and the states of messages."""
    rows = Enrollment.objects.filter(pk__in=[each.id for each in passages])
    found = {
        pk: {"entry": context, "steps": answers}
        for pk, context, answers in rows.values_list("pk", "context", "answers")
    }
    visits = [visit for each in passages for visit in each.all_visits[:-1]]
    messages = CampaignExecution.objects.filter(visit__in=visits).order_by("pk")
    columns = ("visit", "state", "opened_at", "clicked_at", "run__campaign")
    sent = list(messages.values_list(*columns))
    steps = WorkflowStep.objects.filter(campaign__in={campaign for *_message, campaign in sent})
    keys = dict(steps.values_list("campaign", "key"))
    for visit, state, opened_at, clicked_at, campaign in sent:
        known = {"state": state, "opened": opened_at is not None, "clicked": clicked_at is not None}
        found[int(visit.partition(":")[0])]["steps"][keys[campaign]] = known
    return found


def save(
    workflow_id: int, passages: Sequence[Passage], happenings: Sequence[Happening], now: datetime
) -> None:
    """Write where passages are now, and what happened to them."""
    _update(passages)
    _add_answers([each for each in passages if each.answers])
    _insert_events(workflow_id, happenings, now)


_UPDATE = """
    UPDATE marketing_enrollment AS passage SET
        version_id = moved.version_id, step = moved.step, state = moved.state, came_at = moved.came_at, left_at = moved.left_at,
        visits = moved.visits, due_at = moved.due_at, wake_at = moved.wake_at, waiting_for = moved.waiting_for,
        exit_reason = moved.exit_reason, error = moved.error, ended_at = moved.ended_at
    FROM unnest(
        %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::int[], %s::timestamptz[],
        %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::timestamptz[]
    ) AS moved (
        id, version_id, step, state, came_at, left_at, visits, due_at, wake_at, waiting_for, exit_reason, error, ended_at
    )
    WHERE passage.id = moved.id
"""
_WRITTEN = (
    *("id", "version_id", "step", "state", "came_at", "left_at", "visits", "due_at", "wake_at"),
    *("waiting_for", "exit_reason", "error", "ended_at"),
)


def _update(passages: Sequence[Passage]) -> None:
    if not passages:
        return
    columns = {name: [getattr(each, name) for each in passages] for name in _WRITTEN}
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, list(columns.values()))


def _add_answers(passages: Sequence[Passage]) -> None:
    if not passages:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_enrollment AS passage SET answers = passage.answers || learned.answers
            FROM unnest(%s::bigint[], %s::jsonb[]) AS learned (id, answers) WHERE passage.id = learned.id
            """,
            [[each.id for each in passages], [json.dumps(each.answers) for each in passages]],
        )


def _insert_events(workflow_id: int, happenings: Sequence[Happening], now: datetime) -> None:
    if not happenings:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO marketing_enrollmentevent
                (enrollment_id, workflow_id, version_id, customer_id, kind, step, branch, detail, at)
            SELECT enrollment, %s, version, customer, kind, step, branch, detail, %s
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::jsonb[])
                WITH ORDINALITY AS event (enrollment, version, customer, kind, step, branch, detail, place)
            ORDER BY place
            """,
            [
                workflow_id,
                now,
                [each.passage.id for each in happenings],
                [each.passage.version_id for each in happenings],
                [each.passage.customer_id for each in happenings],
                [each.kind for each in happenings],
                [each.step for each in happenings],
                [each.branch for each in happenings],
                [json.dumps(each.detail) if each.detail else "{}" for each in happenings],
            ],
        )


def _fetch(sql: str, parameters: Sequence[Any]) -> list[Passage]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [Passage(*row) for row in cursor.fetchall()]
