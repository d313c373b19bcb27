"""Workers are killed, beats run twice, Redis is emptied, and users publish, pause, merge and erase: every customer takes each step
once, and each message is sent once or `unconfirmed`."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db.models import Count

from customers import identity, privacy
from customers.models import Customer
from customers.timeline import NewInteraction, record_interactions
from marketing import workflows
from marketing.models import CampaignExecution, Enrollment, EnrollmentEvent, Workflow
from tests.factories.marketing import make_sender, make_template
from tests.factories.workflows import define, make_workflow
from tests.faults.processes import Celery, running, wait_until, worker
from tests.smtp_sink import Sink

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

PEOPLE = int(os.environ.get("WORKFLOW_PEOPLE", "300"))
"""The full show has 5,000."""
KILLS = int(os.environ.get("WORKFLOW_KILLS", "5"))
MAILS = ("first", "second", "third", "fourth")
STEPS = ("first", "pause", "tag", "second", "look", "third", "say", "where", "fourth")


def nine_steps() -> dict[str, Any]:
    for name in MAILS:
        make_template(name=name, subject=name, body="{{ unsubscribe_url }}")
    rules = {"operator": "AND", "conditions": [{"field": "tags", "operator": "contains", "value": "seen"}]}  # fmt: skip
    return {
        "first": {"type": "send", "template": "first", "next": "pause"},
        "pause": {"type": "wait", "for": "1s", "next": "tag"},
        "tag": {"type": "update", "add_tags": ["seen"], "next": "second"},
        "second": {"type": "send", "template": "second", "next": "look"},
        "look": {
            "type": "wait_for", "event": "never", "timeout": "2s",
            "next": {"happened": None, "timed_out": "third"},
        },
        "third": {"type": "send", "template": "third", "next": "say"},
        "say": {"type": "emit", "event": "passed", "next": "where"},
        "where": {"type": "split", "branches": [{"name": "seen", "rules": rules, "next": "fourth"}]},
        "fourth": {"type": "send", "template": "fourth"},
    }  # fmt: skip


def started(**more: Any) -> Workflow:
    """Return an active workflow of nine steps, which everybody has just entered."""
    make_sender(connections=2)
    workflow = make_workflow(define(nine_steps(), **more))
    Customer.objects.bulk_create(
        Customer(external_id=f"c{number}", email=f"p{number}@example.com")
        for number in range(PEOPLE)
    )
    workflows.enroll(workflow, list(Customer.objects.values_list("pk", flat=True)), context={})
    return workflow


def has_ended(workflow: Workflow) -> bool:
    on_their_way = CampaignExecution.objects.filter(state__in=["pending", "retry", "sending"])
    under_way = workflow.enrollments.filter(state__in=Enrollment.UNDER_WAY)
    return not under_way.exists() and not on_their_way.exists()


def share_taken(workflow: Workflow) -> float:
    left = EnrollmentEvent.objects.filter(workflow_id=workflow.pk, kind="left")
    return left.count() / (PEOPLE * len(STEPS))


def assert_each_message_once(sink: Sink, in_doubt: int) -> None:
    arrived: Counter[tuple[str, str]] = Counter(
        (address, str(message["Subject"]))
        for (address, _content), message in zip(sink.arrived, sink.messages(), strict=True)
    )
    messages = CampaignExecution.objects.exclude(state="skipped")
    named = messages.values_list("address", "run__version__subject", "state")
    states = {(address, subject): state for address, subject, state in named if address}
    sent = {each for each, state in states.items() if state == "sent"}
    unconfirmed = {each for each, state in states.items() if state == "unconfirmed"}
    assert max(arrived.values()) == 1
    assert sent <= arrived.keys()
    assert {*states} == sent | unconfirmed
    assert len(unconfirmed) <= in_doubt
    assert not Enrollment.objects.filter(state="failed").exists()


def assert_each_step_once(workflow: Workflow) -> None:
    left = EnrollmentEvent.objects.filter(workflow_id=workflow.pk, kind="left")
    taken = left.values_list("customer_id", "step").annotate(number=Count("pk"))
    assert {number for _customer, _step, number in taken} == {1}
    assert len(taken) == PEOPLE * len(STEPS)
    assert CampaignExecution.objects.count() == PEOPLE * len(MAILS)
    assert Customer.objects.filter(interactions__type="passed").distinct().count() == PEOPLE


def test_a_passage_survives_killed_workers(sink: Sink) -> None:
    workflow = started()
    program = worker(processes=2, EMAIL_URL=sink.url, SENDING_LEASE_SECONDS="4")
    with running(program):
        for kill in range(1, KILLS + 1):
            share = kill / (KILLS + 2)
            wait_until(lambda share=share: share_taken(workflow) >= share)  # type: ignore[misc]
            time.sleep(random.uniform(0, 0.3))
            program.kill()
            program.start()
        wait_until(lambda: has_ended(workflow))
    assert_each_step_once(workflow)
    assert_each_message_once(sink, in_doubt=KILLS * 4)


def test_two_beats_and_an_emptied_redis_repeat_nothing(sink: Sink) -> None:
    workflow = started()
    broker = redis.Redis.from_url(os.environ["REDIS_URL"].replace("redis+socket://", "unix://"))
    beats = [Celery("beat", "--pidfile="), Celery("beat", "--pidfile=")]
    with running(worker(beat=False, processes=2, EMAIL_URL=sink.url), *beats):
        while not has_ended(workflow):
            broker.flushall()
            time.sleep(0.5)
    assert_each_step_once(workflow)
    assert_each_message_once(sink, in_doubt=0)


def test_everybody_is_accounted_for_after_interventions(sink: Sink) -> None:
    workflow = started()
    customers = list(Customer.objects.order_by("pk"))
    with running(worker(processes=2, EMAIL_URL=sink.url)):
        wait_until(lambda: share_taken(workflow) >= 0.1)
        workflows.pause(workflow)
        for survivor, duplicate in zip(customers[0:20:2], customers[1:20:2], strict=True):
            wait_until(lambda pair=(survivor.pk, duplicate.pk): _merges(*pair))  # type: ignore[misc]
        for erased in customers[20:30]:
            privacy.erase(erased, by=None)
        steps = nine_steps_renamed(workflow.draft["steps"])
        workflows.save_draft(workflow, define(steps), by=None)
        standing = set(workflow.enrollments.values_list("step", flat=True))
        plan = {"pause": "rest"} if "pause" in standing else {}
        workflows.publish(workflow, by=None, plan=plan)
        workflows.resume(workflow)
        wait_until(lambda: has_ended(workflow))
    reasons = Counter(workflow.enrollments.values_list("state", "exit_reason"))
    assert reasons["exited", "merged"] == reasons["exited", "erased"] == 10
    assert reasons["completed", ""] == PEOPLE - 20
    left = EnrollmentEvent.objects.filter(workflow_id=workflow.pk, kind="left")
    taken = left.values_list("enrollment_id", "step").annotate(number=Count("pk"))
    assert {number for _passage, _step, number in taken} == {1}
    assert_each_message_once(sink, in_doubt=0)


def nine_steps_renamed(steps: dict[str, Any]) -> dict[str, Any]:
    found = {"rest" if key == "pause" else key: step for key, step in steps.items()}
    found["first"] = {**steps["first"], "next": "rest"}
    return {"first": found.pop("first"), **found}


def _merges(survivor: int, duplicate: int) -> bool:
    try:
        identity.merge(survivor, duplicate)
    except identity.NotMerged:  # a message to one of them is being sent
        return False
    return True


def test_a_checkout_a_second_before_the_timeout_prevents_the_mail(sink: Sink) -> None:
    make_sender()
    make_template(name="hello", body="{{ unsubscribe_url }}")
    steps = {
        "paid": {"type": "wait_for", "event": "checked_out", "timeout": "4s", "next": {"happened": None, "timed_out": "mail"}},
        "mail": {"type": "send", "template": "hello"},
    }  # fmt: skip
    workflow = make_workflow(define(steps))
    Customer.objects.bulk_create(
        Customer(external_id=f"c{number}", email=f"p{number}@example.com")
        for number in range(PEOPLE)
    )
    workers = [worker(EMAIL_URL=sink.url), worker(beat=False, EMAIL_URL=sink.url)]
    with running(*workers):
        workflows.enroll(workflow, list(Customer.objects.values_list("pk", flat=True)), context={})
        wait_until(lambda: workflow.enrollments.filter(state="waiting").count() == PEOPLE)
        due = dict(workflow.enrollments.values_list("customer", "due_at"))
        soonest = min(due.values())
        assert soonest
        time.sleep(max(0, soonest.timestamp() - 1 - time.time()))
        record_interactions(
            [
                NewInteraction(customer, "checked_out", soonest - timedelta(seconds=1))
                for customer in due
            ]
        )
        wait_until(lambda: has_ended(workflow))
    assert not CampaignExecution.objects.exists()
