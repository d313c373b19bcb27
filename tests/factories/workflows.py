"""Workflows for tests, and time that passes at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from crm.events import reader
from customers.models import Customer
from customers.timeline import NewInteraction, record_interactions
from marketing import workflows
from marketing.models import Enrollment, EnrollmentEvent, Workflow

BY_API: dict[str, Any] = {"on": "api"}


def define(
    steps: Mapping[str, Any] | None = None, *, entry: Any = None, **more: Any
) -> dict[str, Any]:
    """Return a definition whose first step is the first of `steps`."""
    steps = steps or {}
    start = {"start": next(iter(steps))} if steps else {}
    return {"entry": entry or BY_API, **start, "steps": steps, **more}


def make_workflow(definition: Mapping[str, Any], *, active: bool = True, **fields: Any) -> Workflow:
    """Return a workflow that was published and activated."""
    number = Workflow.objects.count() + 1
    given = {"name": f"Workflow {number}", "slug": f"workflow-{number}", **fields}
    workflow = workflows.save_draft(Workflow(**given), definition, by=None)
    workflows.publish(workflow, by=None)
    return workflows.activate(workflow) if active else workflow


def enroll(workflow: Workflow, *customers: Customer, key: str = "", **context: Any) -> None:
    """Let customers enter, and move them as far as they go at once."""
    workflows.enroll(workflow, [each.pk for each in customers], key=key, context=context)
    pass_time()


def pass_time(until: datetime | None = None) -> None:
    """Move all passages that are due, as of a time."""
    while workflows.advance(now=until):
        pass


def after(**span: float) -> datetime:
    return timezone.now() + timedelta(**span)


def happen(
    customer: Customer,
    event: str,
    *,
    at: datetime | None = None,
    told: bool = True,
    **properties: Any,
) -> None:
    """Put an event on the customer's timeline, and tell the subscribers of it."""
    record_interactions(
        [NewInteraction(customer.pk, event, at or timezone.now(), properties=properties)]
    )
    if told:
        reader.drain_all()


def way(passage: Enrollment) -> list[str]:
    """Return what happened to a passage, in short: `step>branch`, or the event and its reason."""
    events = EnrollmentEvent.objects.filter(enrollment_id=passage.pk).order_by("pk")
    return [
        f"{each.step}>{each.branch}"
        if each.kind == "left"
        else f"{each.kind} {each.branch}".strip()
        for each in events
    ]
