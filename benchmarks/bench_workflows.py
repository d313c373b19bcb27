"""Workflows against the same rows written by hand, and against themselves with a hundredth of the passages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from statistics import median
from typing import Any

from django.db import connection
from django.utils import timezone

from benchmarks import Result, Scale, newsletter, seconds
from benchmarks.population import populate_with
from crm import jobs
from crm.events import reader
from customers.models import Customer
from customers.timeline import NewInteraction, record_interactions
from marketing import workflows
from marketing.models import Backtest, Campaign, Enrollment, Workflow
from marketing.workflows import passages

PASSAGES = {Scale.SMALL: 2_000, Scale.FULL: 100_000}
FEW_WAITING = {Scale.SMALL: 1_000, Scale.FULL: 100_000}
EVENTS = {Scale.SMALL: 1_000, Scale.FULL: 10_000}
REHEARSED = {Scale.SMALL: 200, Scale.FULL: 2_000}
ACTIVE = 50
ROUNDS = 3
LOOKS = 5
BY_API = {"on": "api"}
RICH = {"operator": "AND", "conditions": [{"field": "total_spend", "operator": ">", "value": 100}]}


def run(scale: Scale) -> Iterator[Result]:
    populate_with(PASSAGES[scale])
    newsletter.make_campaign("workflows", port=9)
    yield _advance(scale)
    yield _enter_and_send(scale)
    yield _look_up(scale)
    yield _events(scale)
    yield _rehearse(scale)
    _empty()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_customer, customers_product RESTART IDENTITY CASCADE")
    newsletter.empty()


def _advance(scale: Scale) -> Result:
    """Take waiting passages through a split and an update to the next wait."""
    steps = {
        "first": {"type": "wait", "for": "1h", "next": "where"},
        "where": {"type": "split", "branches": [{"name": "rich", "rules": RICH, "next": "tag"}], "next": "tag"},
        "tag": {"type": "update", "add_tags": ["seen"], "next": "second"},
        "second": {"type": "wait", "for": "1h"},
    }  # fmt: skip
    ours: list[float] = []
    theirs: list[float] = []
    for _round in range(ROUNDS):
        for times, work in ((theirs, _advance_by_hand), (ours, _advance_due)):
            workflow = _started(steps)
            workflows.enroll(workflow, _customers(), context={})
            _advance_due(workflow)
            Enrollment.objects.update(wake_at=timezone.now(), due_at=timezone.now())
            _analyze()
            times.append(seconds(lambda work=work, workflow=workflow: work(workflow)))  # type: ignore[misc]
            _empty()
    number = PASSAGES[scale]
    return Result("workflow: a step of waiting passages", number / median(ours), number / median(theirs), _at(scale, 0.5))  # fmt: skip


def _at(scale: Scale, target: float) -> float:
    """Return the target at full scale; on few rows the fixed cost of a turn dominates."""
    return target if scale is Scale.FULL else target / 2


def _advance_due(workflow: Workflow) -> None:
    while workflows.advance_workflow(workflow):
        pass


def _advance_by_hand(workflow: Workflow) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET tags = tags || '{seen}', updated_at = now()")
        cursor.execute(
            """
            INSERT INTO marketing_enrollmentevent (enrollment_id, workflow_id, version_id, customer_id, kind, step, branch, at)
            SELECT id, workflow_id, version_id, customer_id, 'left', step.key, '', now()
            FROM marketing_enrollment, unnest('{first,where,tag}'::text[]) AS step (key)
            """
        )
        cursor.execute(
            """
            UPDATE marketing_enrollment SET step = 'second', state = 'waiting', visits = visits + 3, came_at = now(), left_at = came_at,
                due_at = now() + interval '1 hour', wake_at = now() + interval '1 hour'
            """
        )


def _enter_and_send(scale: Scale) -> Result:
    """Let customers enter and get a message row."""
    steps = {"mail": {"type": "send", "template": "workflows", "next": "rest"}, "rest": {"type": "wait", "for": "1d"}}  # fmt: skip
    ours: list[float] = []
    theirs: list[float] = []
    for _round in range(ROUNDS):
        for times, work in ((theirs, _send_by_hand), (ours, _send)):
            workflow = _started(steps)
            times.append(seconds(lambda work=work, workflow=workflow: work(workflow)))  # type: ignore[misc]
            _empty()
    number = PASSAGES[scale]
    return Result("workflow: entries with a message", number / median(ours), number / median(theirs), _at(scale, 0.5))  # fmt: skip


def _send(workflow: Workflow) -> None:
    workflows.enroll(workflow, _customers(), context={})
    _advance_due(workflow)


def _send_by_hand(workflow: Workflow) -> None:
    run = workflow.versions.get().steps.get(key="mail").campaign.runs.get()  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH entered AS (
                INSERT INTO marketing_enrollment (workflow_id, customer_id, version_id, step, state, entered_at, visits, wake_at, due_at)
                SELECT %s, id, %s, 'rest', 'waiting', now(), 2, now() + interval '1 day', now() + interval '1 day'
                FROM customers_customer RETURNING id, workflow_id, version_id, customer_id
            ), told AS (
                INSERT INTO marketing_enrollmentevent (enrollment_id, workflow_id, version_id, customer_id, kind, step, branch, at)
                SELECT id, workflow_id, version_id, customer_id, move.kind, 'mail', '', now()
                FROM entered, unnest('{entered,left}'::text[]) AS move (kind)
            )
            INSERT INTO marketing_campaignexecution (run_id, customer_id, address, visit)
            SELECT %s, customer.id, coalesce(customer.email, ''), entered.id || ':1'
            FROM entered JOIN customers_customer AS customer ON customer.id = entered.customer_id
            """,
            [workflow.pk, workflow.version_id, run.pk],
        )


def _look_up(scale: Scale) -> Result:
    """Look for due passages among a hundred times as many that wait."""
    few = FEW_WAITING[scale]
    rest = {"rest": {"type": "wait", "for": "1d"}}
    of_few, of_many = _started(rest), _started(rest)
    times = []
    for workflow, waiting in ((of_few, few), (of_many, 99 * few)):
        _let_wait(workflow, waiting)
        _analyze()
        _due(workflow)
        times.append(median(seconds(partial(_look, workflow)) for _round in range(LOOKS)))
    _empty()
    return Result("workflow: due look-up, 100 × the passages", 1 / times[1], 1 / times[0], 1 / 1.3)


def _look(workflow: Workflow) -> None:
    for _time in range(100):
        _due(workflow)


def _due(workflow: Workflow) -> None:
    assert not passages.lock_due(workflow.pk, timezone.now(), 5_000)


def _let_wait(workflow: Workflow, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO marketing_enrollment
                (workflow_id, customer_id, entry_key, version_id, step, state, entered_at, visits, wake_at, due_at)
            SELECT %s, (SELECT min(id) FROM customers_customer), gen_random_uuid()::text, %s, 'rest', 'waiting', now(), 1,
                now() + n * interval '1 second' + interval '1 day', now() + interval '2 days'
            FROM generate_series(1, %s) AS n
            """,
            [workflow.pk, workflow.version_id, number],
        )


def _events(scale: Scale) -> Result:
    """Take events in with fifty active workflows, one of which they let customers enter."""
    number = EVENTS[scale]
    _happen(number)  # warms up
    without = seconds(lambda: _happen(number))
    for place in range(ACTIVE):
        entry = {"on": "event", "event": f"other_{place}" if place else "bench_event"}
        rest = {"rest": {"type": "wait", "for": "1d"}}
        _started(rest, entry=entry, exit_when=[{"event": "left_us"}])
    beside = seconds(lambda: _happen(number))
    _empty()
    return Result("workflow: events with 50 active workflows", number / beside, number / without, 1 / 1.5)  # fmt: skip


def _happen(number: int) -> None:
    now = timezone.now()
    customers = _customers()
    record_interactions(
        [
            NewInteraction(customers[n % len(customers)], "bench_event", now, {"n": n})
            for n in range(number)
        ]
    )
    reader.drain_all()


def _rehearse(scale: Scale) -> Result:
    """Back-test 90 days for many customers and for a hundredth of them; a rate is that of customers."""
    steps = {
        "pause": {"type": "wait", "for": "1h", "next": "bought"},
        "bought": {"type": "wait_for", "event": "bench_paid", "timeout": "1d", "next": {"happened": None, "timed_out": "mail"}},
        "mail": {"type": "send", "template": "workflows"},
    }  # fmt: skip
    now = timezone.now()
    many = REHEARSED[scale]
    customers = _customers()[:many]
    record_interactions(
        [
            NewInteraction(customer, kind, now - timedelta(days=80, minutes=-n * 30 - offset))
            for n, customer in enumerate(customers)
            for kind, offset in (("bench_cart", 0), ("bench_paid", 5 if n % 2 else 3_000))
        ]
    )
    workflow = _started(steps, entry={"on": "event", "event": "bench_cart"})
    since = now - timedelta(days=90)

    def rehearse(sample: int) -> float:
        job = workflows.start_backtest(workflow, since=since, until=now, sample=sample)
        took = seconds(lambda: jobs.run(job))
        assert Backtest.objects.get(pk=job.pk).result[0]["entered"] == sample
        return took

    few = max(many // 100, 2)
    result = Result("workflow: back-test, customers each second", many / rehearse(many), few / rehearse(few), 1.0)  # fmt: skip
    _empty()
    return result


def _started(
    steps: Mapping[str, Any], *, entry: Mapping[str, Any] = BY_API, **more: Any
) -> Workflow:
    number = Workflow.objects.count()
    definition = {"entry": entry, "start": next(iter(steps)), "steps": steps, **more}
    draft = Workflow(name=f"Bench {number}", slug=f"bench-{number}")
    workflow = workflows.save_draft(draft, definition, by=None)
    workflows.publish(workflow, by=None)
    return workflows.activate(workflow)


def _customers() -> list[int]:
    return list(Customer.objects.order_by("pk").values_list("pk", flat=True))


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE marketing_enrollment, marketing_enrollmentevent")


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            TRUNCATE marketing_workflow, marketing_workflowversion, marketing_enrollment, marketing_enrollmentevent,
                marketing_workflowtally, marketing_campaignexecution CASCADE
            """
        )
    Campaign.objects.filter(type=Campaign.Type.WORKFLOW).delete()
