"""The engine: it takes passages from step to step, thousands at a time.

A turn locks passages that are due, lets each step decide for all passages that stand at it, follows them until each waits or has ended,
and writes where they are by one statement. What a step does and the move to the next one are one transaction: nothing is done twice, and
nothing is done without being told. Events wake passages early (marketing.workflows.feed); what decides is what the engine then finds.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from marketing.messages import transitions
from marketing.models import Campaign, Enrollment, EnrollmentEvent, Workflow, WorkflowStep
from marketing.workflows import evidence, passages
from marketing.workflows.definition import Definition, published
from marketing.workflows.evidence import Period
from marketing.workflows.passages import Happening, Passage
from marketing.workflows.steps import Step

logger = logging.getLogger(__name__)

CHUNK = 5_000
MOST_VISITS = 1_000
"""Steps of one passage: one that comes to more goes round in circles."""
LONGEST_ERROR = 1_000

State = Enrollment.State
Kind = EnrollmentEvent.Kind
ExitReason = Enrollment.ExitReason


def advance(*, now: datetime | None = None) -> bool:
    """Move the due passages of all active workflows, a chunk of each; returns whether more may be due."""
    active = Workflow.objects.filter(state=Workflow.State.ACTIVE).order_by("pk")
    return any(advance_workflow(each, now=now) == CHUNK for each in active)


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
                turn.move(due)
                turn.save()
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
def put_at(workflow: Workflow, passage_id: int, key: str) -> int:
    """Put a passage under way at a step of its version; returns how many were. Raises KeyError for a step that is not in it."""
    turn = Turn(workflow, timezone.now())
    found = passages.lock([passage_id])
    for each in found:
        if key not in published(each.version_id).steps:
            raise KeyError(key)
        turn.go_to([each], key)
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


class Turn:
    """One transaction's work on passages of a workflow, which the transaction has locked.

    Steps say what becomes of the passages at them by go(), hold() and end().
    """

    def __init__(self, workflow: Workflow, now: datetime) -> None:
        self.workflow, self.now = workflow, now
        self._arrived: dict[tuple[int, str], list[Passage]] = defaultdict(list)
        self._touched: dict[int, Passage] = {}
        self._happenings: list[Happening] = []
        self._contexts: dict[int, dict[str, Any]] = {}
        self._campaigns: dict[tuple[int, str], Campaign] = {}

    def move(self, due: Sequence[Passage]) -> None:
        """Take passages as far as they go now: first those that exit, then step by step."""
        self._exit(due)
        staying = [each for each in due if each.under_way]
        for each in staying:
            if each.state == State.ACTIVE:
                self._arrived[each.version_id, each.step].append(each)
        waiting = [each for each in staying if each.state == State.WAITING]
        for step, standing in self._by_step(waiting):
            step.wake(self, standing)
        while self._arrived:
            _place, arrived = self._arrived.popitem()
            for step, standing in self._by_step(arrived):
                step.arrive(self, standing)

    def contexts(self, found: Sequence[Passage]) -> Mapping[int, Mapping[str, Any]]:
        """Return what `entry` and `steps` stand for, by passage id."""
        missing = [each for each in found if each.id not in self._contexts]
        if missing:
            self._contexts |= passages.contexts(missing)
        return self._contexts

    def campaign_of(self, passage: Passage) -> Campaign:
        """Return the campaign of the send step at which a passage stands."""
        place = passage.version_id, passage.step
        if place not in self._campaigns:
            steps = WorkflowStep.objects.select_related("campaign__topic", "campaign__sender")
            campaign = steps.get(version=passage.version_id, key=passage.step).campaign
            assert campaign
            self._campaigns[place] = campaign
        return self._campaigns[place]

    def count_left(self, found: Sequence[Passage], step: str, branch: str) -> Mapping[int, int]:
        """Return how often passages have left a step by a branch, by their id, this turn included."""
        counts = Counter(
            each.passage.id
            for each in self._happenings
            if (each.kind, each.step, each.branch) == (Kind.LEFT, step, branch)
        )
        left = EnrollmentEvent.objects.filter(
            enrollment_id__in=[each.id for each in found], kind=Kind.LEFT, step=step, branch=branch
        )
        counts.update(dict(left.values_list("enrollment_id").annotate(number=Count("pk"))))
        return counts

    def go(
        self,
        found: Iterable[Passage],
        branch: str = "",
        why: Mapping[int, Mapping[str, Any]] | None = None,
    ) -> None:
        """Let passages leave their step by a branch; `why` gives the reason by passage id."""
        for each in found:
            detail = why.get(each.id, {}) if why else {}
            self._record(each, Kind.LEFT, step=each.step, branch=branch, detail=detail)
            self._come_to(each, self._definition(each).steps[each.step].next.get(branch))

    def go_to(self, found: Iterable[Passage], key: str | None, **detail: Any) -> None:
        """Put passages at a step of their version, or end them, whatever they waited for."""
        for each in found:
            self._record(each, Kind.MOVED, step=each.step, branch=key or "", detail=detail)
            self._come_to(each, key)

    def hold(
        self,
        found: Iterable[Passage],
        until: datetime,
        *,
        event: str = "",
        look_at: datetime | None = None,
    ) -> None:
        """Let passages wait at their step until a time; they are looked at then, at `look_at`, and when the event happens."""
        for passage in found:
            passage.state, passage.waiting_for = State.WAITING, event
            passage.due_at, passage.wake_at = until, min(until, look_at or until)
            self._touched[passage.id] = passage

    def end(
        self,
        found: Iterable[Passage],
        state: str = State.COMPLETED,
        *,
        reason: str = "",
        error: str = "",
        why: Mapping[str, Any] | None = None,
    ) -> None:
        """End passages. The messages of those that exit are skipped where they have not left."""
        ended = list(found)
        for passage in ended:
            kind = {State.COMPLETED: Kind.COMPLETED, State.FAILED: Kind.FAILED}.get(
                State(state), Kind.EXITED
            )
            self._record(passage, kind, step=passage.step, branch=reason, detail=why or {})
            passage.state, passage.exit_reason, passage.error = state, reason, error[:LONGEST_ERROR]
            passage.due_at, passage.wake_at, passage.waiting_for = None, None, ""
            passage.ended_at = self.now
        if state == State.EXITED:
            transitions.cancel_visits([visit for each in ended for visit in each.all_visits])

    def save(self) -> None:
        """Write where the passages are, and what happened to them."""
        passages.save(self.workflow.pk, list(self._touched.values()), self._happenings, self.now)

    def _definition(self, passage: Passage) -> Definition:
        return published(passage.version_id)

    def _by_step(self, found: Sequence[Passage]) -> Iterator[tuple[Step, list[Passage]]]:
        """Yield each step with the passages at it. A passage of a workflow without steps ends."""
        by_step: dict[tuple[int, str], list[Passage]] = defaultdict(list)
        for each in found:
            by_step[each.version_id, each.step].append(each)
        for (version_id, key), standing in by_step.items():
            if key:
                yield published(version_id).steps[key], standing
            else:
                self.end(standing)

    def _come_to(self, passage: Passage, key: str | None) -> None:
        if key is None:
            self.end([passage])
        elif passage.visits >= MOST_VISITS:
            self.end([passage], State.EXITED, reason=ExitReason.ROUNDS)
        else:
            passage.left_at, passage.came_at = passage.came_at, self.now
            passage.step, passage.visits, passage.state = key, passage.visits + 1, State.ACTIVE
            passage.due_at, passage.wake_at, passage.waiting_for = None, self.now, ""
            self._arrived[passage.version_id, key].append(passage)

    def _record(self, passage: Passage, kind: str, **more: Any) -> None:
        self._touched[passage.id] = passage
        self._happenings.append(Happening(passage, kind, **more))

    def _exit(self, due: Sequence[Passage]) -> None:
        """End the passages whose exit event has happened since they entered, read by a feed or not, or whose exit rules are true."""
        by_version: dict[int, list[Passage]] = defaultdict(list)
        for each in due:
            by_version[each.version_id].append(each)
        for version_id, standing in by_version.items():
            exits = published(version_id).exits
            for condition in exits.events:
                periods = [(each, Period(each.entered_at)) for each in standing if each.under_way]
                for passage, row in evidence.first_events(condition, periods, self.contexts):
                    self.end(
                        [passage], State.EXITED, reason=ExitReason.EVENT, why=evidence.told(row)
                    )
            for rules in exits.rules:
                staying = [each for each in standing if each.under_way]
                fitting = evidence.fitting_customers(rules, staying, self.now)
                leaving = [each for each in staying if each.customer_id in fitting]
                self.end(leaving, State.EXITED, reason=ExitReason.RULES, why={"rules": rules})
