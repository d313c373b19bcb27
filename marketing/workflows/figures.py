"""Figures of a workflow: who entered, where they are, how they left, and who met the goal.

They come from marketing_workflowtally, to which the database adds with every event of a passage (see WorkflowTally).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Count, Q, Sum

from marketing import statistics
from marketing.models import Enrollment, EnrollmentEvent, Workflow, WorkflowTally, WorkflowVersion
from marketing.statistics import Interval, Rate
from marketing.workflows.definition import published
from marketing.workflows.passages import standing
from marketing.workflows.steps.experiment import Experiment

State = Enrollment.State
Kind = EnrollmentEvent.Kind
HOLDOUT = Enrollment.ExitReason.HOLDOUT


@dataclass(frozen=True, slots=True)
class StepFigures:
    """How many passages stand at a step, and how many left it by each branch, over all versions."""

    step: str
    there_now: int = 0
    left: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalFigures:
    """Passages that entered, and those of them that met the goal: the sum of its values, and the mean time to it in seconds."""

    entered: int
    goals: int
    revenue: Decimal
    seconds_to_goal: float | None

    @property
    def goal_rate(self) -> float | None:
        return _rate(self.goals, self.entered)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFigures(GoalFigures):
    """The figures of the passages that entered, ended or met the goal in a version."""

    version: int
    completed: int
    exits: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchFigures(GoalFigures):
    """The figures of a branch of an experiment; `difference` is the interval of its goal rate less that of the first branch."""

    step: str
    branch: str
    interval: Interval
    difference: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFigures(GoalFigures):
    """Numbers of passages. Rates are from 0 to 1, None without passages; the holdout group is in no other number.

    `lift` is the interval of the goal rate less that of the holdout group (95 %); None without one.
    """

    under_way: int
    completed: int
    failed: int
    exits: dict[str, int]
    holdout: int
    holdout_goal_rate: float | None
    lift: Interval | None
    steps: list[StepFigures]
    versions: list[VersionFigures]
    experiments: list[BranchFigures]


class Tally(NamedTuple):
    """A row of the tallies, added up."""

    version_id: int
    kind: str
    step: str
    branch: str
    number: int
    value: Decimal
    seconds: float


def figures_of(workflow: Workflow) -> WorkflowFigures:
    """Return the figures of a workflow."""
    tallies = _tallies(workflow)
    standing = workflow.enrollments.filter(state__in=(*Enrollment.UNDER_WAY, State.FAILED))
    states = dict(standing.values_list("state").annotate(number=Count("pk")).order_by("state"))
    holdout, holdout_goals = _held_out(tallies)
    goal = _goal(tallies, _number(tallies, Kind.ENTERED))
    rates = Rate(goal["entered"], goal["goals"]), Rate(holdout, holdout_goals)
    return WorkflowFigures(
        **goal,
        under_way=sum(states.get(each, 0) for each in Enrollment.UNDER_WAY),
        completed=_number(tallies, Kind.COMPLETED),
        failed=states.get(State.FAILED, 0),
        exits=_exits(tallies),
        holdout=holdout,
        holdout_goal_rate=_rate(holdout_goals, holdout),
        lift=statistics.difference(*rates) if all(each.customers for each in rates) else None,
        steps=_steps(workflow, tallies),
        versions=_versions(workflow, tallies),
        experiments=_experiments(workflow, tallies),
    )


def entered_and_goals(workflow_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return how many passages entered each workflow, and how many of them met its goal."""
    rows = WorkflowTally.objects.filter(
        Q(kind=Kind.ENTERED) | Q(kind=Kind.GOAL, step="", branch=""), workflow_id__in=workflow_ids
    )
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for workflow_id, kind, number in rows.values_list("workflow_id", "kind").annotate(
        total=Sum("number")
    ):
        found[workflow_id][kind] = number
    return {pk: (each[Kind.ENTERED], each[Kind.GOAL]) for pk, each in found.items()}


def fold() -> None:
    """Add up the rows of tallies that are about the same."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH many AS (
                SELECT workflow_id, version_id, kind, step, branch FROM marketing_workflowtally
                GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1
            ), taken AS (
                DELETE FROM marketing_workflowtally AS tally USING many
                WHERE (tally.workflow_id, tally.version_id, tally.kind, tally.step, tally.branch)
                    = (many.workflow_id, many.version_id, many.kind, many.step, many.branch)
                RETURNING tally.*
            )
            INSERT INTO marketing_workflowtally (workflow_id, version_id, kind, step, branch, number, value, seconds)
            SELECT workflow_id, version_id, kind, step, branch, sum(number), sum(value), sum(seconds) FROM taken GROUP BY 1, 2, 3, 4, 5
            """
        )


@transaction.atomic
def rebuild(workflow: Workflow) -> None:
    """Count the events of a workflow again; no passage moves meanwhile.

    The function that counts inserted events counts a copy of them.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE marketing_enrollmentevent IN SHARE MODE")
        cursor.execute("DELETE FROM marketing_workflowtally WHERE workflow_id = %s", [workflow.pk])
        cursor.execute(
            """
            CREATE TEMPORARY TABLE counted_again (LIKE marketing_enrollmentevent) ON COMMIT DROP;
            CREATE TRIGGER count AFTER INSERT ON counted_again
            REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION marketing_tally();
            """
        )
        cursor.execute(
            "INSERT INTO counted_again SELECT * FROM marketing_enrollmentevent WHERE workflow_id = %s",
            [workflow.pk],
        )
        cursor.execute("DROP TABLE counted_again")


def _tallies(workflow: Workflow) -> list[Tally]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT version_id, kind, step, branch, sum(number)::bigint, sum(value), sum(seconds) FROM marketing_workflowtally
            WHERE workflow_id = %s GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
            """,
            [workflow.pk],
        )
        return [Tally(*row) for row in cursor.fetchall()]


def _number(tallies: Iterable[Tally], kind: str) -> int:
    return sum(each.number for each in tallies if each.kind == kind)


def _exits(tallies: Iterable[Tally]) -> dict[str, int]:
    return _by_branch(each for each in tallies if each.kind == Kind.EXITED and each.branch != HOLDOUT)  # fmt: skip


def _held_out(tallies: Sequence[Tally]) -> tuple[int, int]:
    """Return how many customers are in the holdout group, and how many of them met the goal."""
    held = [each for each in tallies if each.branch == HOLDOUT and not each.step]
    return _number(held, Kind.EXITED), _number(held, Kind.GOAL)


def _by_branch(tallies: Iterable[Tally]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for each in tallies:
        found[each.branch] += each.number
    return dict(sorted(found.items()))


def _goal(
    tallies: Iterable[Tally], entered: int, step: str = "", branch: str = ""
) -> dict[str, Any]:
    """Return the fields of GoalFigures, of all passages or of those that left an experiment by a branch."""
    place = (Kind.GOAL, step, branch)
    met = [each for each in tallies if (each.kind, each.step, each.branch) == place]
    goals = sum(each.number for each in met)
    return {
        "entered": entered,
        "goals": goals,
        "revenue": sum((each.value for each in met), Decimal(0)),
        "seconds_to_goal": sum(each.seconds for each in met) / goals if goals else None,
    }


def _steps(workflow: Workflow, tallies: Iterable[Tally]) -> list[StepFigures]:
    """Return the figures of the steps of the published version in their order, then of those of earlier versions."""
    there = standing(workflow.pk)
    left: dict[str, list[Tally]] = defaultdict(list)
    for each in tallies:
        if each.kind == Kind.LEFT:
            left[each.step].append(each)
    known = list(published(workflow.version_id).steps) if workflow.version_id else []
    keys = [*known, *sorted({*there, *left} - {*known, ""})]
    return [StepFigures(key, there.get(key, 0), _by_branch(left.get(key, []))) for key in keys]


def _versions(workflow: Workflow, tallies: Sequence[Tally]) -> list[VersionFigures]:
    numbers = dict(WorkflowVersion.objects.filter(workflow=workflow).values_list("pk", "number"))
    found = []
    for version_id, number in sorted(numbers.items(), key=lambda each: each[1]):
        ours = [each for each in tallies if each.version_id == version_id]
        found.append(
            VersionFigures(
                **_goal(ours, _number(ours, Kind.ENTERED)),
                version=number,
                completed=_number(ours, Kind.COMPLETED),
                exits=_exits(ours),
            )
        )
    return found


def _experiments(workflow: Workflow, tallies: Sequence[Tally]) -> list[BranchFigures]:
    """Return the figures of each branch of the experiments of the published version, over all versions."""
    steps = published(workflow.version_id).steps.values() if workflow.version_id else ()
    found = []
    for step in steps:
        if not isinstance(step, Experiment):
            continue
        drawn = _by_branch(
            each for each in tallies if each.kind == Kind.LEFT and each.step == step.key
        )
        first: Rate | None = None
        for branch in step.weights:
            goal = _goal(tallies, drawn.get(branch, 0), step.key, branch)
            rate = Rate(max(goal["entered"], goal["goals"]), goal["goals"])
            found.append(
                BranchFigures(
                    **goal,
                    step=step.key,
                    branch=branch,
                    interval=statistics.interval(rate),
                    difference=statistics.difference(rate, first) if first else None,
                )
            )
            first = first or rate
    return found


def _rate(number: int, of: int) -> float | None:
    return number / of if of else None
