"""Back-tests: what a definition would have done in a past period, as a job.

What cannot be known is named in the result: attributes, consents and segments are as they are now, and nobody answered messages that were
never sent.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from crm import jobs
from crm.accounts.models import User
from customers import timeline
from customers.models import Customer, Interaction, SegmentMembership
from customers.segments import matching
from marketing.campaigns import bucket
from marketing.messages import frequency_caps, zones
from marketing.models import Backtest, Enrollment, EnrollmentEvent, Workflow
from marketing.schedule import wall_clock
from marketing.workflows import clock, evidence, passages, rehearsal
from marketing.workflows.checks import check
from marketing.workflows.definition import Definition, read
from marketing.workflows.entries import Entrant, entrants_by
from marketing.workflows.entry_kinds import Entry
from marketing.workflows.evidence import Period
from marketing.workflows.local_time import zone_of
from marketing.workflows.passages import Passage
from marketing.workflows.steps.send import SENT, Send
from marketing.workflows.steps.wait_for import WaitFor

LONGEST_PERIOD = timedelta(days=366)
USUAL_SAMPLE = 1_000
"""Customers of a back-test that says nothing else."""
HOUR = timedelta(hours=1)
CHUNK = 10_000
ENDED = (EnrollmentEvent.Kind.COMPLETED, EnrollmentEvent.Kind.EXITED, EnrollmentEvent.Kind.FAILED)
HOLDOUT = Enrollment.ExitReason.HOLDOUT


class ImpossiblePeriod(ValueError):
    """The period of a back-test is empty."""


def start(
    workflow: Workflow,
    *,
    since: datetime,
    until: datetime,
    sample: int,
    number: int | None = None,
    against: int | None = None,
    by: User | None = None,
) -> Backtest:
    """Start a back-test of the draft, or of a version, alone or together with another version. Raises DefinitionError and DoesNotExist."""
    if since >= until:
        raise ImpossiblePeriod(_("The period ends before it begins."))
    definitions = [_document(workflow, number)]
    if against is not None:
        definitions.append(_document(workflow, against))
    with transaction.atomic():
        begun = Backtest.objects.create(
            workflow=workflow,
            since=since,
            until=until,
            sample=sample,
            definitions=definitions,
            total=len(definitions) * max(1, (until - since) // HOUR),
            created_by=by,
        )
        jobs.start(begun)
    return begun


def work(job: Backtest, turn: jobs.Turn) -> bool:
    """Rehearse each definition, all in one turn: the tables of a rehearsal belong to this session."""
    results = []
    hours = max(1, (job.until - job.since) // HOUR)
    for place, each in enumerate(job.definitions):
        definition = read(each["definition"], trusted=True)
        entrants, everybody = _entrants(job.workflow, definition, job)

        def show(now: datetime, place: int = place) -> None:
            turn.is_over()  # rests while messages are sent
            turn.show(done=place * hours + min(max(0, (now - job.since) // HOUR), hours))

        rehearsal.shadow()
        try:
            rehearsal.run(job.workflow, definition, entrants, until=job.until, progress=show)
            figures = _figures(job.workflow, definition, job.until)
        finally:
            rehearsal.unshadow()
        sample = {"customers": len({one.customer_id for one in entrants}), "of": everybody}
        results.append({"version": each["version"], "sample": sample, **figures})
    turn.save(result=results)
    return False


def _document(workflow: Workflow, number: int | None) -> dict[str, Any]:
    if number is None:
        check(workflow.draft, workflow)
        return {"version": None, "definition": workflow.draft}
    return {"version": number, "definition": workflow.versions.get(number=number).definition}


def _entrants(
    workflow: Workflow, definition: Definition, job: Backtest
) -> tuple[list[Entrant], int]:
    """Return the entrants of the sample, in order of their times, and how many customers all entrants are."""
    by_kind = {
        "event": _by_event,
        "segment": _by_segment,
        "date": _by_date,
        "schedule": _by_schedule,
    }
    find = by_kind.get(definition.entry.on, _by_hand)
    found = list(find(workflow, definition.entry, job.since, job.until))
    customers = {each.customer_id for each in found}
    chosen = sorted(customers, key=lambda each: bucket("back-test", each))[: job.sample]
    kept = {*chosen}
    entering = sorted(
        (each for each in found if each.customer_id in kept),
        key=lambda each: (each.at, each.customer_id),
    )
    return entering, len(customers)


def _by_event(
    workflow: Workflow, entry: Entry, since: datetime, until: datetime
) -> Iterator[Entrant]:
    assert entry.condition
    events = Interaction.objects.filter(
        type=entry.condition.event, occurred_at__gte=since, occurred_at__lt=until
    )
    columns = ("pk", "customer_id", "type", "occurred_at", "properties")
    rows = [timeline.Row(*row) for row in events.order_by("pk").values_list(*columns).iterator()]
    for start in range(0, len(rows), CHUNK):
        yield from entrants_by(entry, rows[start : start + CHUNK])


def _by_segment(
    workflow: Workflow, entry: Entry, since: datetime, until: datetime
) -> Iterator[Entrant]:
    """Yield the present members that came in the period: of those that left again nothing is known."""
    members = SegmentMembership.objects.filter(
        segment__slug=entry.segment, entered_at__gte=since, entered_at__lt=until
    )
    for customer, at in members.values_list("customer", "entered_at"):
        yield Entrant(customer, at)


def _by_date(
    workflow: Workflow, entry: Entry, since: datetime, until: datetime
) -> Iterator[Entrant]:
    day = since.date() - clock.DAY
    while day <= until.date() + clock.DAY:
        customers = clock.with_date(entry, day - entry.offset, sorted(zones()), workflow.timezone)
        known = Customer.objects.filter(pk__in=customers).values_list("pk", "timezone")
        for customer, zone in known:
            local = datetime.combine(day, entry.clock)
            at = wall_clock.at(local, zone_of(zone, workflow.timezone))
            if since <= at < until:
                yield Entrant(customer, at, day.isoformat(), {"date": day.isoformat()})
        day += clock.DAY


def _by_schedule(
    workflow: Workflow, entry: Entry, since: datetime, until: datetime
) -> Iterator[Entrant]:
    for at in clock.rhythm(workflow, entry, since).between(since, until):
        people = Customer.objects.all() if entry.audience is None else matching(entry.audience)
        for customer in people.filter(erased_at=None).values_list("pk", flat=True):
            yield Entrant(customer, at, at.isoformat())


def _by_hand(
    workflow: Workflow, entry: Entry, since: datetime, until: datetime
) -> Iterator[Entrant]:
    """Yield the passages that there were: calls of the API and start steps leave no other trace."""
    entered = workflow.enrollments.filter(entered_at__gte=since, entered_at__lt=until)
    for row in entered.values_list("customer", "entered_at", "entry_key", "context"):
        yield Entrant(*row)


def _figures(workflow: Workflow, definition: Definition, until: datetime) -> dict[str, Any]:
    """Return the figures of the rehearsal on the stage."""
    moves = EnrollmentEvent.objects.order_by("pk")
    by_day: Counter[str] = Counter()
    messages: dict[str, Counter[str]] = defaultdict(Counter)
    left: dict[str, Counter[str]] = defaultdict(Counter)
    ends: Counter[tuple[str, str]] = Counter()
    for kind, step, branch, at in moves.values_list("kind", "step", "branch", "at").iterator():
        day = f"{at:%F}"
        if kind == EnrollmentEvent.Kind.ENTERED:
            by_day[day] += 1
        elif kind == EnrollmentEvent.Kind.LEFT:
            left[step][branch] += 1
            sending = definition.steps[step]
            if isinstance(sending, Send) and branch == SENT:
                messages[sending.channel][day] += 1
        elif kind in ENDED:
            ends[kind, branch] += 1
    exits = {reason: number for (kind, reason), number in ends.items() if kind == "exited"}
    entered = sum(by_day.values())
    return {
        "entered": entered,
        "entered_by_day": dict(sorted(by_day.items())),
        "holdout": exits.pop(HOLDOUT, 0),
        "completed": ends["completed", ""],
        "exits": exits,
        "failed": ends["failed", ""],
        "under_way": workflow.enrollments.filter(state__in=Enrollment.UNDER_WAY).count(),
        "steps": [{"step": key, "left": dict(left.get(key, {}))} for key in definition.steps],
        "messages": {each: dict(sorted(days.items())) for each, days in messages.items()},
        "over_caps": {each: _over_caps(definition, each) for each in messages},
        "goals_anyway": _goals(workflow, definition, until),
        "unknown": _unknown(definition),
    }


def _over_caps(definition: Definition, channel: str) -> int:
    """Return how many messages of a channel the frequency caps would skip, by the messages of this rehearsal alone."""
    over = 0
    for cap in frequency_caps(channel):
        keys = [
            key
            for key, step in definition.steps.items()
            if isinstance(step, Send)
            and not step.ignores_caps
            and step.channel in (cap.channel or step.channel, channel)
        ]
        parameters: list[Any] = [timedelta(days=cap.days), SENT, keys, cap.messages]
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT count(*) FROM (
                    SELECT count(*) OVER (
                        PARTITION BY customer_id ORDER BY at RANGE BETWEEN %s::interval PRECEDING AND CURRENT ROW
                    ) AS number
                    FROM marketing_enrollmentevent WHERE kind = 'left' AND branch = %s AND step = ANY(%s)
                ) AS sent WHERE number > %s
                """,
                parameters,
            )
            over = max(over, cursor.fetchone()[0])
    return over


def _goals(workflow: Workflow, definition: Definition, until: datetime) -> int | None:
    """Return how many passages were followed by the goal within its window, without the workflow; None without a goal."""
    goal = definition.goal
    if goal is None:
        return None
    rows = workflow.enrollments.exclude(exit_reason=HOLDOUT).values_list(*passages.COLUMNS)
    entered = [Passage(*row) for row in rows]
    periods = [(each, Period(each.entered_at, each.entered_at + goal.window)) for each in entered]
    found = evidence.first_events(goal.condition, periods, _no_variables)
    return len(found)


def _no_variables(found: Any) -> Mapping[int, Mapping[str, Any]]:
    return {each.id: {} for each in found}


def _unknown(definition: Definition) -> list[str]:
    """Return what a rehearsal cannot know of a definition, in words."""
    found = [_("Attributes, consents and segments are as they are now.")]
    if definition.entry.on in ("api", "workflow"):
        found.append(_("Entries are those that happened: calls and other workflows are not known."))
    if definition.entry.on == "segment":
        found.append(_("Entries are of present members: customers who left again are not known."))
    if any(isinstance(each, Send) for each in definition.steps.values()):
        found.append(_("Messages were not sent: no customer opened, clicked or answered them."))
    if any(each.type == "http" for each in definition.steps.values()):
        found.append(_("Calls were not made: each is taken for a success without an answer."))
    if any(isinstance(each, WaitFor) and each.rules for each in definition.steps.values()):
        found.append(_("Waits for rules are looked at once an hour."))
    return found
