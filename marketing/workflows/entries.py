"""Let customers enter workflows, within their audience and their rules of re-entry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import timeline
from customers.segments import matching
from marketing.campaigns import bucket
from marketing.models import Enrollment, EnrollmentEvent, Workflow
from marketing.workflows import evidence
from marketing.workflows.definition import Definition, published
from marketing.workflows.entry_kinds import Entry

FRESH = timedelta(days=1)
"""Older events, such as those of an imported file, let nobody enter."""
LONGEST_KEY = 200
ADVANCE = "marketing.tasks.advance_workflows"
"""The task to nudge after customers have entered."""

State = Enrollment.State
Kind = EnrollmentEvent.Kind


@dataclass(frozen=True, slots=True)
class Entrant:
    """A customer who would enter: when, with which key, and what `entry` stands for."""

    customer_id: int
    at: datetime
    key: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)


_ENTER = f"""
    WITH wanted AS MATERIALIZED (
        SELECT DISTINCT ON (customer, key) * FROM unnest(
            %(customers)s::bigint[], %(keys)s::text[], %(times)s::timestamptz[], %(contexts)s::jsonb[], %(held_out)s::boolean[]
        ) WITH ORDINALITY AS entrant (customer, key, at, context, held_out, place)
        ORDER BY customer, key, place
    ), entered AS (
        INSERT INTO marketing_enrollment (
            workflow_id, customer_id, entry_key, version_id, step, state, entered_at, came_at, visits, wake_at, context, exit_reason,
            ended_at
        )
        SELECT %(workflow)s, customer, key, %(version)s, CASE WHEN held_out THEN '' ELSE %(step)s END,
            CASE WHEN held_out THEN '{State.EXITED}' ELSE '{State.ACTIVE}' END, at, %(now)s, 1,
            CASE WHEN NOT held_out THEN %(now)s END, context,
            CASE WHEN held_out THEN '{Enrollment.ExitReason.HOLDOUT}' ELSE '' END, CASE WHEN held_out THEN %(now)s END
        FROM wanted JOIN customers_customer AS person ON person.id = customer AND erased_at IS NULL
        WHERE NOT EXISTS (
            SELECT FROM marketing_enrollment AS earlier
            WHERE earlier.workflow_id = %(workflow)s AND earlier.customer_id = customer
              AND (earlier.entry_key = key OR %(across_keys)s)
              AND (%(reentry)s::interval IS NULL OR earlier.entered_at > wanted.at - %(reentry)s::interval)
        )
        ORDER BY customer
        ON CONFLICT (workflow_id, customer_id, entry_key) WHERE state IN ('active', 'waiting') DO NOTHING
        RETURNING id, customer_id, state
    )
    INSERT INTO marketing_enrollmentevent (enrollment_id, workflow_id, version_id, customer_id, kind, branch, at)
    SELECT id, %(workflow)s, %(version)s, customer_id,
        CASE state WHEN '{State.EXITED}' THEN '{Kind.EXITED}' ELSE '{Kind.ENTERED}' END,
        CASE state WHEN '{State.EXITED}' THEN '{Enrollment.ExitReason.HOLDOUT}' ELSE '' END, %(now)s
    FROM entered ORDER BY id
    RETURNING customer_id
"""


def enter(
    workflow: Workflow,
    entrants: Sequence[Entrant],
    *,
    now: datetime | None = None,
    definition: Definition | None = None,
) -> list[int]:
    """Let customers enter the published version, or another definition; returns the ids of the customers who entered.

    Customers outside the audience, erased ones, those with a passage of the same key under way, and those who entered too recently do
    not. Customers of the holdout group enter, and leave at once. Raises RuleError where the audience cannot be read any more.
    """
    if not entrants or (workflow.version_id is None and definition is None):
        return []
    now = now or timezone.now()
    definition = definition or published(workflow.version_id or 0)
    chosen = _of_audience(definition, entrants, now)
    if not chosen:
        return []
    parameters: dict[str, Any] = {
        "workflow": workflow.pk,
        "version": workflow.version_id or 0,
        "step": definition.start or "",
        "now": now,
        "reentry": definition.reentry,
        "across_keys": definition.entry.is_by_clock and definition.reentry is not None,
        "customers": [each.customer_id for each in chosen],
        "keys": [each.key[:LONGEST_KEY] for each in chosen],
        "times": [each.at for each in chosen],
        "contexts": [json.dumps(each.context) if each.context else "{}" for each in chosen],
        "held_out": _held_out(workflow, definition, chosen),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, parameters)
        return [row[0] for row in cursor.fetchall()]


def enter_by_events(workflow: Workflow, rows: Sequence[timeline.Row]) -> int:
    """Let the customers of fresh events enter that fit the entry of a workflow; returns how many did. Raises RuleError."""
    assert workflow.version_id
    fresh = timezone.now() - FRESH
    rows = [row for row in rows if row.occurred_at >= fresh]
    return len(enter(workflow, entrants_by(published(workflow.version_id).entry, rows)))


def entrants_by(entry: Entry, rows: Sequence[timeline.Row]) -> list[Entrant]:
    """Return the entrants by events that fit an entry. Raises RuleError."""
    if entry.condition is None:
        return []
    fitting = evidence.fitting(entry.condition, rows)
    properties = evidence.properties_of(fitting)
    return [
        Entrant(row.customer_id, row.occurred_at, key, properties[row.id])
        for row in fitting
        if (key := _key(entry.per, properties[row.id])) is not None
    ]


@transaction.atomic
def enroll(
    workflow: Workflow, customers: Sequence[int], *, key: str = "", context: Mapping[str, Any]
) -> list[int]:
    """Let customers enter an active workflow by hand; returns the ids of the customers who entered. Raises NotActive."""
    locked = Workflow.objects.select_for_update(no_key=True).get(pk=workflow.pk)
    if locked.state != Workflow.State.ACTIVE:
        raise NotActive(_("Customers cannot enter: the workflow is not active. Activate it first."))
    assert locked.version_id
    if published(locked.version_id).entry.on == "workflow":
        raise NotActive(_("Customers cannot enter: only other workflows start this one."))
    now = timezone.now()
    return enter(locked, [Entrant(each, now, key, context) for each in customers], now=now)


class NotActive(ValueError):
    """Customers cannot enter the workflow: it is a draft, paused or archived, or other workflows alone start it."""


def _of_audience(
    definition: Definition, entrants: Sequence[Entrant], now: datetime
) -> Sequence[Entrant]:
    if definition.entry.audience is None:
        return entrants
    among = sorted({each.customer_id for each in entrants})
    fitting = matching(definition.entry.audience, now=now, among=among)
    chosen = set(fitting.values_list("pk", flat=True))
    return [each for each in entrants if each.customer_id in chosen]


def _held_out(
    workflow: Workflow, definition: Definition, entrants: Iterable[Entrant]
) -> list[bool]:
    share = float(definition.holdout_percent) / 100
    salt = f"workflow {workflow.pk} holdout:"
    return [share > 0 and bucket(salt, each.customer_id) < share for each in entrants]


def _key(per: str, properties: Mapping[str, Any]) -> str | None:
    """Return the entry key of an event: the value of the property, None where it has none."""
    if not per:
        return ""
    return evidence.as_text(properties.get(per)) or None
