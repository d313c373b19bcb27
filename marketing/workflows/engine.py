"""The engine: it takes passages from step to step, thousands at a time.

A turn locks passages that are due, lets each step decide for all passages that stand at it, follows them until each waits or has ended,
and writes where they are by one statement. What a step does and the move to the next one are one transaction: nothing is done twice, and
nothing is done without being told. Events wake passages early (marketing.workflows.feed); what decides is what the engine then finds.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from crm.nudge import nudge
from marketing.models import Enrollment, Workflow
from marketing.workflows import evidence, passages
from marketing.workflows.definition import Definition, published
from marketing.workflows.entries import ADVANCE, Entrant, enter
from marketing.workflows.evidence import Period
from marketing.workflows.passages import Passage
from marketing.workflows.steps import Step
from marketing.workflows.turn import ExitReason, State, Turn

logger = logging.getLogger(__name__)

CHUNK = 5_000


def advance(*, now: datetime | None = None) -> bool:
    """Move the due passages of all active workflows, a chunk of each; returns whether more may be due."""
    active = Workflow.objects.filter(state=Workflow.State.ACTIVE).order_by("pk")
    return CHUNK in [advance_workflow(each, now=now) for each in active]


def advance_workflow(workflow: Workflow, *, now: datetime | None = None, limit: int = CHUNK) -> int:
    """Move the passages of a workflow that are due, `limit` at most; returns how many were.

    Where that fails, halves are tried, down to the one passage that it fails for, which is put aside as failed.
    """
    now = now or timezone.now()
    due: list[Passage] = []
    try:
        with transaction.atomic():
            due = passages.lock_due(workflow.pk, now, limit)
            if due:
                turn = Turn(workflow, now)
                move(turn, due)
                turn.save()
                _start_others(turn)
        return len(due)
    except OperationalError:  # the database's fault, no passage's
        raise
    except Exception as error:
        if len(due) == 1:
            logger.warning("Passage %s failed at %s.", due[0].id, due[0].step, exc_info=True)
            _put_aside(workflow, due[0].id, error, now)
            return 1
        half = len(due) // 2
        first = advance_workflow(workflow, now=now, limit=half)
        return first + advance_workflow(workflow, now=now, limit=len(due) - half)


@transaction.atomic
def end_by_hand(workflow: Workflow, ids: Sequence[int], reason: str = ExitReason.MANUAL) -> int:
    """End passages under way, by their ids, for a reason outside their steps; returns how many were."""
    turn = Turn(workflow, timezone.now())
    ending = passages.lock(ids)
    turn.end(ending, State.EXITED, reason=reason)
    turn.save()
    return len(ending)


@transaction.atomic
def end_lesser(survivor: int, duplicate: int) -> None:
    """End, of two passages under way with one key, the one that is less far: the customers become one."""
    under_way = Enrollment.objects.filter(
        customer__in=(survivor, duplicate), state__in=Enrollment.UNDER_WAY
    )
    locked = under_way.select_for_update().select_related("workflow").order_by("pk")
    first: dict[tuple[int, str], Enrollment] = {}
    for each in sorted(locked, key=lambda each: (-each.visits, each.customer_id != survivor)):
        if first.setdefault((each.workflow_id, each.entry_key), each) is not each:
            end_by_hand(each.workflow, [each.pk], ExitReason.MERGED)


@transaction.atomic
def put_at(workflow: Workflow, passage_id: int, key: str) -> int:
    """Put a passage under way at a step of its version; returns how many were. Raises KeyError for a step that is not in it."""
    turn = Turn(workflow, timezone.now())
    found = passages.lock([passage_id])
    for each in found:
        if key not in published(each.version_id).steps:
            raise KeyError(key)
        turn.put([each], key)
    turn.save()
    return len(found)


@transaction.atomic
def retry(workflow: Workflow, ids: Sequence[int]) -> int:
    """Let failed passages try their step again; returns how many. One whose customer has entered again meanwhile stays."""
    failed = Enrollment.objects.select_for_update().filter(
        workflow=workflow, pk__in=ids, state=State.FAILED
    )
    again = Enrollment.objects.filter(
        workflow=workflow, state__in=Enrollment.UNDER_WAY, customer=OuterRef("customer"),
        entry_key=OuterRef("entry_key"),
    )  # fmt: skip
    chosen = list(failed.filter(~Exists(again)).values_list("pk", flat=True))
    return Enrollment.objects.filter(pk__in=chosen).update(
        state=State.ACTIVE, wake_at=timezone.now(), error="", ended_at=None
    )


@transaction.atomic
def _put_aside(workflow: Workflow, passage_id: int, error: Exception, now: datetime) -> None:
    turn = Turn(workflow, now)
    turn.end(passages.lock([passage_id]), State.FAILED, error=f"{type(error).__name__}: {error}")
    turn.save()


def move(
    turn: Turn, due: Sequence[Passage], definition_of: Callable[[int], Definition] = published
) -> None:
    """Take passages as far as they go now: first those that exit, then step by step."""
    _exit(turn, due, definition_of)
    staying = [each for each in due if each.under_way]
    turn.arrive(each for each in staying if each.state == State.ACTIVE)
    waiting = [each for each in staying if each.state == State.WAITING]
    for step, standing in _by_step(turn, waiting, definition_of):
        step.wake(turn, standing)
    for arrived in turn.arrivals():
        for step, standing in _by_step(turn, arrived, definition_of):
            decide = step.rehearse if turn.rehearses else step.arrive
            decide(turn, standing)


def _by_step(
    turn: Turn, found: Sequence[Passage], definition_of: Callable[[int], Definition]
) -> Iterator[tuple[Step, list[Passage]]]:
    """Yield each step with the passages at it. A passage of a workflow without steps ends."""
    by_step: dict[tuple[int, str], list[Passage]] = defaultdict(list)
    for each in found:
        by_step[each.version_id, each.step].append(each)
    for (version_id, key), standing in by_step.items():
        if key:
            yield definition_of(version_id).steps[key], standing
        else:
            turn.end(standing)


def _exit(turn: Turn, due: Sequence[Passage], definition_of: Callable[[int], Definition]) -> None:
    """End the passages whose exit event has happened since they entered, read by a feed or not, or whose exit rules are true."""
    by_version: dict[int, list[Passage]] = defaultdict(list)
    for each in due:
        by_version[each.version_id].append(each)
    for version_id, standing in by_version.items():
        exits = definition_of(version_id).exits
        for condition in exits.events:
            periods = [(each, Period(each.entered_at)) for each in standing if each.under_way]
            for passage, row in evidence.first_events(condition, periods, turn.variables):
                turn.end([passage], State.EXITED, reason=ExitReason.EVENT, why=evidence.told(row))
        for rules in exits.rules:
            staying = [each for each in standing if each.under_way]
            fitting = evidence.fitting_customers(rules, staying, turn.now)
            leaving = [each for each in staying if each.customer_id in fitting]
            turn.end(leaving, State.EXITED, reason=ExitReason.RULES, why={"rules": rules})


def _start_others(turn: Turn) -> None:
    """Let the customers of passages at a start step enter the workflows that it names, where those are active."""
    others = Workflow.objects.filter(slug__in=turn.starting, state=Workflow.State.ACTIVE)
    for other in others.order_by("pk"):
        starters = turn.starting[other.slug]
        contexts = turn.contexts(starters)
        entrants = [
            Entrant(each.customer_id, turn.now, each.entry_key, contexts[each.id]["entry"])
            for each in starters
        ]
        if enter(other, entrants, now=turn.now):
            nudge(ADVANCE)
