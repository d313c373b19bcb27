"""The moves that users make with a workflow: save its draft, activate, pause, resume, archive."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from crm.accounts.models import User
from crm.nudge import nudge
from marketing import campaigns
from marketing.models import Campaign, Enrollment, Workflow
from marketing.workflows.definition import published
from marketing.workflows.engine import end_by_hand
from marketing.workflows.entries import ADVANCE

State = Workflow.State
ENDED_AT_ONCE = 2_000


class ImpossibleMove(Exception):
    """The workflow cannot go from its state to another."""

    def __init__(self, workflow: Workflow, wanted: str) -> None:
        super().__init__(
            _("A workflow that is %(state)s cannot become %(wanted)s.")
            % {
                "state": State(workflow.state).label.lower(),
                "wanted": State(wanted).label.lower(),
            }
        )


class InUse(ValueError):
    """Customers have entered the workflow: it is part of the history."""


def save_draft(workflow: Workflow, definition: Any, *, by: User | None) -> Workflow:
    """Save the draft of a workflow, which need not be complete."""
    workflow.draft, workflow.draft_by = definition, by
    if workflow.pk is None:
        workflow.created_by = by
    workflow.save()
    return workflow


def free_slug(name: str) -> str:
    """Return a slug for a new workflow of that name, which no other has."""
    base = slugify(name)[:90] or "workflow"
    names = (f"{base}-{number}" if number > 1 else base for number in count(1))
    return next(each for each in names if not Workflow.objects.filter(slug=each).exists())


@transaction.atomic
def activate(workflow: Workflow) -> Workflow:
    """Let customers enter the published version from now on. Raises ImpossibleMove without one."""
    if workflow.version_id is None:
        raise ImpossibleMove(workflow, State.ACTIVE)
    now = timezone.now()
    _move(workflow, {State.DRAFT}, State.ACTIVE, activated_at=now, entered_until=now)
    entry = published(workflow.version_id).entry
    if entry.on == "segment" and entry.with_members:
        Workflow.objects.filter(pk=workflow.pk).update(
            entering={"key": "", "after": 0, "segment": entry.segment}
        )
    return workflow


def pause(workflow: Workflow) -> Workflow:
    """Stop customers from entering and moving. Raises ImpossibleMove."""
    return _move(workflow, {State.ACTIVE}, State.PAUSED)


@transaction.atomic
def resume(workflow: Workflow, *, skip_hours_late: float | None = None) -> Workflow:
    """Resume the workflow. Passages that fell due more than these hours ago exit, the others move now. Raises ImpossibleMove."""
    now = timezone.now()
    _move(workflow, {State.PAUSED}, State.ACTIVE, entered_until=now)
    if skip_hours_late is not None:
        due_before = now - timedelta(hours=skip_hours_late)
        late = workflow.enrollments.filter(state=Enrollment.State.WAITING, due_at__lt=due_before)
        _end_all(workflow, late, Enrollment.ExitReason.MANUAL)
    nudge(ADVANCE)
    return workflow


@transaction.atomic
def archive(workflow: Workflow) -> Workflow:
    """End the workflow and every passage under way. Raises ImpossibleMove."""
    _move(workflow, {State.DRAFT, State.ACTIVE, State.PAUSED}, State.ARCHIVED)
    under_way = workflow.enrollments.filter(state__in=Enrollment.UNDER_WAY)
    _end_all(workflow, under_way, Enrollment.ExitReason.ARCHIVED)
    for campaign in Campaign.objects.filter(workflow_steps__version__workflow=workflow).distinct():
        campaigns.end_for_step(campaign)
    return workflow


@transaction.atomic
def discard(workflow: Workflow) -> None:
    """Delete a workflow without passages. Raises InUse."""
    if workflow.enrollments.exists():
        raise InUse(_("Customers have entered the workflow. Archive it instead."))
    workflow.version = None
    workflow.state = State.DRAFT
    workflow.save(update_fields=["version", "state"])
    try:
        workflow.delete()
    except ProtectedError as error:
        raise InUse(_("Its messages were sent. Archive it instead.")) from error


def _end_all(workflow: Workflow, chosen: QuerySet[Enrollment], reason: str) -> None:
    ids = list(chosen.values_list("pk", flat=True))
    for start in range(0, len(ids), ENDED_AT_ONCE):
        end_by_hand(workflow, ids[start : start + ENDED_AT_ONCE], reason)


def _move(workflow: Workflow, sources: set[State], target: State, **changes: Any) -> Workflow:
    allowed = sources if workflow.version_id else sources & {State.DRAFT}
    moved = Workflow.objects.filter(pk=workflow.pk, state__in=allowed).update(
        state=target, updated_at=timezone.now(), **changes
    )
    if not moved:
        workflow.refresh_from_db(fields=["state"])
        raise ImpossibleMove(workflow, target)
    workflow.state = target
    for name, value in changes.items():
        setattr(workflow, name, value)
    return workflow
