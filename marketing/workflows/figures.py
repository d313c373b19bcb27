"""Figures of a workflow: who entered, where they are, how they left, and who met the goal."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Count, Q

from marketing.models import Enrollment, EnrollmentEvent, Workflow
from marketing.workflows.definition import published

State = Enrollment.State


@dataclass(frozen=True, slots=True)
class StepFigures:
    """How many passages stand at a step, and how many left it by each branch, over all versions."""

    step: str
    there_now: int = 0
    left: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkflowFigures:
    """Numbers of passages. Rates are from 0 to 1, None without passages; the holdout group is in no other number."""

    entered: int
    under_way: int
    completed: int
    failed: int
    exits: dict[str, int]
    goals: int
    goal_rate: float | None
    holdout: int
    holdout_goal_rate: float | None
    steps: list[StepFigures]


def figures_of(workflow: Workflow) -> WorkflowFigures:
    """Return the figures of a workflow as its passages say."""
    held = Q(exit_reason=Enrollment.ExitReason.HOLDOUT)
    counts = workflow.enrollments.aggregate(
        entered=Count("pk", filter=~held),
        under_way=Count("pk", filter=Q(state__in=Enrollment.UNDER_WAY)),
        completed=Count("pk", filter=Q(state=State.COMPLETED)),
        failed=Count("pk", filter=Q(state=State.FAILED)),
        goals=Count("pk", filter=~held & Q(goal_at__isnull=False)),
        holdout=Count("pk", filter=held),
        holdout_goals=Count("pk", filter=held & Q(goal_at__isnull=False)),
    )
    exits = workflow.enrollments.filter(~held, state=State.EXITED).values_list("exit_reason")
    holdout_goals = counts.pop("holdout_goals")
    return WorkflowFigures(
        **counts,
        exits=dict(exits.annotate(number=Count("pk")).order_by("exit_reason")),
        goal_rate=_rate(counts["goals"], counts["entered"]),
        holdout_goal_rate=_rate(holdout_goals, counts["holdout"]),
        steps=_steps(workflow),
    )


def _steps(workflow: Workflow) -> list[StepFigures]:
    """Return the figures of the steps of the published version in their order, then of those of earlier versions."""
    under_way = workflow.enrollments.filter(state__in=Enrollment.UNDER_WAY)
    there = dict(under_way.values_list("step").annotate(number=Count("pk")).order_by("step"))
    left: dict[str, dict[str, int]] = defaultdict(dict)
    events = EnrollmentEvent.objects.filter(
        workflow_id=workflow.pk, kind=EnrollmentEvent.Kind.LEFT
    ).values_list("step", "branch")
    for step, branch, number in events.annotate(number=Count("pk")).order_by("step", "branch"):
        left[step][branch] = number
    known = list(published(workflow.version_id).steps) if workflow.version_id else []
    keys = [*known, *sorted({*there, *left} - {*known, ""})]
    return [StepFigures(key, there.get(key, 0), left.get(key, {})) for key in keys]


def _rate(number: int, of: int) -> float | None:
    return number / of if of else None
