"""The turn: one transaction that moves passages of a workflow, and writes their places and events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count

from customers.models import Customer
from marketing.content import CUSTOMER_FIELDS, person_context
from marketing.messages import transitions
from marketing.models import Campaign, Enrollment, EnrollmentEvent, Workflow, WorkflowStep
from marketing.workflows import calls, passages
from marketing.workflows.passages import Happening, Passage

MOST_VISITS = 1_000
"""Steps of one passage: one that comes to more goes round in circles."""
LONGEST_ERROR = 1_000

State = Enrollment.State
Kind = EnrollmentEvent.Kind
ExitReason = Enrollment.ExitReason


class Turn:
    """A transaction that moves passages of a workflow, which it has locked.

    Steps decide about the passages at them by go(), hold() and end(). `starting` has the passages whose customers enter other workflows,
    by the slug of the workflow.
    """

    rehearses = False

    def __init__(self, workflow: Workflow, now: datetime) -> None:
        self.workflow, self.now = workflow, now
        self.starting: dict[str, list[Passage]] = defaultdict(list)
        self._arrived: dict[tuple[int, str], list[Passage]] = defaultdict(list)
        self._touched: dict[int, Passage] = {}
        self._happenings: list[Happening] = []
        self._contexts: dict[int, dict[str, Any]] = {}
        self._campaigns: dict[tuple[int, str], Campaign] = {}

    def contexts(self, found: Sequence[Passage]) -> Mapping[int, dict[str, Any]]:
        """Return what `entry` and `steps` stand for, by passage id."""
        missing = [each for each in found if each.id not in self._contexts]
        if missing:
            self._contexts |= passages.contexts(missing)
        return self._contexts

    def variables(self, found: Sequence[Passage]) -> Mapping[int, Mapping[str, Any]]:
        """Return the variables of texts, by passage id: contexts(), and the customer's as in a message."""
        customers = Customer.objects.filter(pk__in={each.customer_id for each in found})
        people = {
            row["pk"]: person_context(row) for row in customers.values("pk", *CUSTOMER_FIELDS)
        }
        contexts = self.contexts(found)
        return {each.id: {**people.get(each.customer_id, {}), **contexts[each.id]} for each in found}  # fmt: skip

    def answer(self, passage: Passage, known: Mapping[str, Any]) -> None:
        """Set what `steps.KEY` stands for from now on, KEY being the step at which a passage stands."""
        passage.answers[passage.step] = known
        self.contexts([passage])[passage.id]["steps"][passage.step] = known
        self._touched[passage.id] = passage

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
        target: str | None,
        branch: str = "",
        why: Mapping[int, Mapping[str, Any]] | None = None,
    ) -> None:
        """Let passages leave their step for the next, by a branch; `why` gives the reason by passage id."""
        for each in found:
            detail = why.get(each.id, {}) if why else {}
            self._record(each, Kind.LEFT, step=each.step, branch=branch, detail=detail)
            self._come_to(each, target)

    def put(self, found: Iterable[Passage], key: str | None, **detail: Any) -> None:
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
        """End passages. The messages and calls of those that exit are skipped where they have not left."""
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
            visits = [visit for each in ended for visit in each.all_visits]
            transitions.cancel_visits(visits)
            calls.give_up(visits)

    def arrive(self, found: Iterable[Passage]) -> None:
        """Have passages decided that are at a step and have not been."""
        for each in found:
            self._arrived[each.version_id, each.step].append(each)

    def arrivals(self) -> Iterator[list[Passage]]:
        """Yield passages that have come to a step, step by step, those included that come while they are read."""
        while self._arrived:
            _place, arrived = self._arrived.popitem()
            yield arrived

    def save(self) -> None:
        """Write where the passages are, and what happened to them."""
        passages.save(self.workflow.pk, list(self._touched.values()), self._happenings, self.now)

    def _come_to(self, passage: Passage, key: str | None) -> None:
        if key is None:
            self.end([passage])
        elif passage.visits >= MOST_VISITS:
            self.end([passage], State.EXITED, reason=ExitReason.ROUNDS)
        else:
            passage.left_at, passage.came_at = passage.came_at, self.now
            passage.step, passage.visits, passage.state = key, passage.visits + 1, State.ACTIVE
            passage.due_at, passage.wake_at, passage.waiting_for = None, self.now, ""
            self.arrive([passage])

    def _record(self, passage: Passage, kind: str, **more: Any) -> None:
        self._touched[passage.id] = passage
        self._happenings.append(Happening(passage, kind, **more))
