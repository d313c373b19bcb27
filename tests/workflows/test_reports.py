"""Reports about other products do not hold here: second entries, repeated messages and lost events."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from crm.events import reader
from customers.models import Customer, Segment
from customers.segments import members
from marketing import workflows
from marketing.models import CampaignExecution, Enrollment
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_template
from tests.factories.workflows import (
    after,
    define,
    enroll,
    happen,
    make_workflow,
    pass_time,
    way,
)

pytestmark = pytest.mark.django_db(transaction=True)

DAILY_MAIL = {
    "hello": {"type": "send", "template": "hello", "next": "pause"},
    "pause": {"type": "wait", "for": "1d", "next": "second"},
    "second": {"type": "send", "template": "hello"},
}
BY_SEGMENT = {"on": "segment", "segment": "warm"}


@pytest.fixture
def warm() -> Segment:
    make_template(name="hello", body="{{ unsubscribe_url }}")
    return Segment.objects.create(name="Warm", slug="warm", kind="static")


def visit(segment: Segment, customer: Customer) -> None:
    """Let a customer enter a segment and leave it."""
    members.add(segment, [customer.pk])
    reader.drain_all()
    pass_time()
    members.remove(segment, [customer.pk])
    reader.drain_all()


def test_a_second_entry_schedules_nothing_beside_the_first(warm: Segment) -> None:
    """See mautic/mautic#9797: two entries left two schedules behind."""
    ada = make_customer(email="ada@example.com")
    workflow = make_workflow(
        define(DAILY_MAIL, entry=BY_SEGMENT, reentry={"after_days": 0}, exit_when=[{"event": "left"}])
    )  # fmt: skip
    visit(warm, ada)
    visit(warm, ada)
    assert workflow.enrollments.count() == 1
    happen(ada, "left", at=timezone.now() + timedelta(milliseconds=1))
    pass_time(after(seconds=1))
    visit(warm, ada)
    pass_time(after(days=2))
    first, second = workflow.enrollments.order_by("pk")
    assert (first.state, second.state) == ("exited", "completed")
    sent = CampaignExecution.objects.exclude(state="skipped").values_list("visit", flat=True)
    assert {each.partition(":")[0] for each in sent if each} == {str(second.pk)}
    assert len(sent) == 2


def test_a_customer_who_comes_back_runs_through_every_step_again(warm: Segment) -> None:
    """See mautic/mautic#7338 (nobody came back) and #7729 (steps did not repeat)."""
    ada = make_customer(email="ada@example.com")
    steps = {
        "count": {"type": "update", "attributes": {"rounds": "{{ customer.attributes.rounds | plus: 1 }}"}, "next": "hello"},
        "hello": {"type": "send", "template": "hello"},
    }  # fmt: skip
    workflow = make_workflow(define(steps, entry=BY_SEGMENT, reentry={"after_days": 0}))
    for _round in range(3):
        visit(warm, ada)
    ways = [way(each) for each in workflow.enrollments.all()]
    assert ways == [["entered", "count>", "hello>sent", "completed"]] * 3
    ada.refresh_from_db()
    assert ada.attributes["rounds"] == "3"
    assert CampaignExecution.objects.count() == 3


def test_a_customer_who_comes_back_gets_nothing_without_reentry(warm: Segment) -> None:
    """See mautic/mautic#7881: the default was to send again."""
    ada = make_customer(email="ada@example.com")
    workflow = make_workflow(define(DAILY_MAIL, entry=BY_SEGMENT))
    visit(warm, ada)
    pass_time(after(days=2))
    visit(warm, ada)
    workflows.pause(workflow)
    workflows.resume(workflow)
    pass_time(after(days=4))
    assert workflow.enrollments.count() == 1
    assert CampaignExecution.objects.count() == 2


def test_an_event_that_comes_three_times_counts_once() -> None:
    ada = make_customer()
    steps = {
        "click": {"type": "wait_for", "event": "clicked", "timeout": "1d", "next": "again"},
        "again": {"type": "wait_for", "event": "opened", "timeout": "1d"},
    }
    workflow = make_workflow(define(steps, entry={"on": "event", "event": "came", "per": "visit"}))
    for _time in range(3):
        happen(ada, "came", visit="v1")
    pass_time()
    for _time in range(3):
        happen(ada, "clicked")
        pass_time()
    assert workflow.enrollments.count() == 1
    assert way(workflow.enrollments.get()) == ["entered", "click>happened"]


def test_events_that_come_in_the_wrong_order_count_by_their_time() -> None:
    ada = make_customer()
    steps = {
        "first": {"type": "wait_for", "event": "opened", "timeout": "1d", "next": "second"},
        "second": {"type": "wait_for", "event": "clicked", "timeout": "1d"},
    }
    workflow = make_workflow(define(steps))
    enroll(workflow, ada)
    happen(ada, "clicked", at=after(minutes=2))
    pass_time(after(minutes=3))
    assert workflow.enrollments.get().step == "first"
    happen(ada, "opened", at=after(minutes=1))
    pass_time(after(minutes=4))
    assert way(workflow.enrollments.get())[1:] == ["first>happened", "second>happened", "completed"]


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        ("Europe/Berlin", "2027-03-27T12:00Z", "2027-03-28T07:00Z"),
        ("Europe/Berlin", "2027-10-30T12:00Z", "2027-10-31T08:00Z"),
        ("America/New_York", "2027-03-13T15:00Z", "2027-03-14T13:00Z"),
        ("Australia/Lord_Howe", "2027-04-03T02:00Z", "2027-04-03T22:30Z"),
    ],
)
def test_a_morning_is_at_nine_after_a_clock_change(zone: str, now: str, until: str) -> None:
    evening, morning = datetime.fromisoformat(now), datetime.fromisoformat(until)
    step = {"type": "wait", "until": {"at": "09:00"}}
    workflow = make_workflow(
        define(
            {
                "morning": step,
            }
        )
    )
    workflows.enroll(workflow, [make_customer(timezone=zone).pk], context={})
    Enrollment.objects.update(wake_at=evening)
    workflows.advance_workflow(workflow, now=evening)
    assert workflow.enrollments.get().due_at == morning
    workflows.advance_workflow(workflow, now=morning - timedelta(seconds=1))
    assert workflow.enrollments.get().state == "waiting"
    workflows.advance_workflow(workflow, now=morning)
    assert workflow.enrollments.get().state == "completed"


def test_an_order_just_before_the_timeout_prevents_the_mail() -> None:
    """An order on the timeline counts, even if no feed has read it when the passage falls due."""
    people = [make_customer() for _ in range(20)]
    make_template(name="hello", body="{{ unsubscribe_url }}")
    steps = {
        "paid": {"type": "wait_for", "event": "order_placed", "timeout": "1h", "next": {"happened": None, "timed_out": "mail"}},
        "mail": {"type": "send", "template": "hello"},
    }  # fmt: skip
    workflow = make_workflow(define(steps))
    enroll(workflow, *people)
    due = dict(workflow.enrollments.values_list("customer", "due_at"))
    for each in people:
        order = make_order(each).external_id
        at = due[each.pk] - timedelta(seconds=1)
        happen(each, "order_placed", at=at, order=order, told=False)
    pass_time(after(hours=1, seconds=1))
    assert not CampaignExecution.objects.exists()
    assert {each.state for each in workflow.enrollments.all()} == {"completed"}
