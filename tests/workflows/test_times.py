"""Workflows keep the local times of customers, the dates of customers, and schedules."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from customers.models import CustomerProfile, Segment
from customers.segments import members
from marketing import workflows
from marketing.models import CampaignExecution, Enrollment, Workflow
from marketing.workflows import clock
from tests.factories.customers import make_customer
from tests.factories.marketing import make_template
from tests.factories.workflows import define, enroll, make_workflow

pytestmark = pytest.mark.django_db

MONDAY = datetime(2027, 3, 22, 12, tzinfo=UTC)


def waits_until(step: dict[str, Any], now: datetime, **customer: Any) -> datetime | None:
    """Return until when a customer waits at a step who comes to it at a time."""
    workflow = make_workflow(define({"pause": {"type": "wait", **step}}))
    ada = make_customer(**customer)
    workflows.enroll(workflow, [ada.pk], context={})
    Enrollment.objects.filter(workflow=workflow).update(wake_at=now)
    workflows.advance_workflow(workflow, now=now)
    return workflow.enrollments.get().due_at


@pytest.mark.parametrize(
    ("step", "until"),
    [
        ({"until": {"at": "09:00"}}, datetime(2027, 3, 23, 8, tzinfo=UTC)),
        ({"until": {"at": "14:00"}}, datetime(2027, 3, 22, 13, tzinfo=UTC)),
        ({"until": {"at": "09:00", "weekdays": ["fri"]}}, datetime(2027, 3, 26, 8, tzinfo=UTC)),
        # clocks go forward on Sunday, 28 March
        ({"until": {"at": "09:00", "weekdays": ["sun"]}}, datetime(2027, 3, 28, 7, tzinfo=UTC)),
        ({"until": {"at": "02:30", "weekdays": ["sun"]}}, datetime(2027, 3, 28, 1, tzinfo=UTC)),
        ({"window": {"from": "14:00", "to": "18:00"}}, datetime(2027, 3, 22, 13, tzinfo=UTC)),
        ({"window": {"from": "09:00", "to": "18:00"}}, None),
        ({"until": "2027-04-01T10:00:00+02:00"}, datetime(2027, 4, 1, 8, tzinfo=UTC)),
        ({"until": "2027-03-01T10:00:00+02:00"}, None),
        (
            {"until": {"date_of": "date_of_birth", "days": -3, "at": "09:00", "every_year": True}},
            datetime(2027, 5, 7, 7, tzinfo=UTC),
        ),
        ({"until": {"date_of": "renewal", "at": "09:00"}}, datetime(2027, 6, 1, 7, tzinfo=UTC)),
        ({"until": {"date_of": "nothing"}}, None),
    ],
)
def test_a_wait_follows_the_clock_of_the_customer(
    step: dict[str, Any], until: datetime | None
) -> None:
    berlin = {
        "timezone": "Europe/Berlin",
        "date_of_birth": date(1990, 5, 10),
        "attributes": {"renewal": "2027-06-01"},
    }
    assert waits_until(step, MONDAY, **berlin) == until


@pytest.mark.parametrize(
    ("window", "until"),
    [
        ({}, datetime(2027, 3, 22, 18, tzinfo=UTC)),
        ({"window": {"from": "09:00", "to": "18:00"}}, datetime(2027, 3, 22, 16, tzinfo=UTC)),
        ({"window": {"from": "20:00", "to": "22:30"}}, datetime(2027, 3, 22, 19, tzinfo=UTC)),
        ({"window": {"from": "19:30", "to": "22:00"}}, datetime(2027, 3, 22, 18, 30, tzinfo=UTC)),
        (
            {"window": {"from": "09:00", "to": "18:00", "weekdays": ["tue"]}},
            datetime(2027, 3, 23, 16, tzinfo=UTC),
        ),
    ],
)
def test_a_customer_waits_until_the_best_hour(window: dict[str, Any], until: datetime) -> None:
    make_template(name="hello", body="{{ unsubscribe_url }}")
    for step in (
        {"type": "wait", "until": "best_hour", **window},
        {"type": "send", "template": "hello", "send_at": "best_hour", **window},
    ):
        workflow = make_workflow(define({"step": step}))
        ada = make_customer(timezone="Europe/Berlin")
        CustomerProfile.objects.create(customer=ada, best_hour=19)
        workflows.enroll(workflow, [ada.pk], context={})
        Enrollment.objects.filter(workflow=workflow).update(wake_at=MONDAY)
        workflows.advance_workflow(workflow, now=MONDAY)
        assert workflow.enrollments.get().due_at == until
        assert not CampaignExecution.objects.exists()
        workflows.advance_workflow(workflow, now=until)
        assert workflow.enrollments.get().state == "completed"
    assert CampaignExecution.objects.count() == 1


def test_a_customer_without_a_best_hour_gets_a_message_at_once() -> None:
    make_template(name="hello", body="{{ unsubscribe_url }}")
    step = {"type": "send", "template": "hello", "send_at": "best_hour"}
    enroll(make_workflow(define({"mail": step})), make_customer(email="ada@example.com"))
    assert CampaignExecution.objects.count() == 1


def starting(entry: dict[str, Any], since: datetime, **more: Any) -> Workflow:
    """Return an active workflow that looked at the clock last at a time."""
    workflow = make_workflow(define(entry=entry, **more))
    Workflow.objects.filter(pk=workflow.pk).update(entered_until=since, activated_at=since)
    return workflow


def test_a_birthday_lets_a_customer_enter_at_the_local_time() -> None:
    berlin = make_customer(timezone="Europe/Berlin", date_of_birth=date(1990, 3, 23))
    tokyo = make_customer(timezone="Asia/Tokyo", date_of_birth=date(1980, 3, 23))
    make_customer(timezone="Asia/Tokyo", date_of_birth=date(1980, 3, 24))
    entry = {"on": "date", "date": "date_of_birth", "at": "09:00", "every_year": True}
    workflow = starting(entry, MONDAY)

    def found() -> list[int]:
        return list(workflow.enrollments.order_by("pk").values_list("customer", flat=True))

    clock.enter_by_clock(now=datetime(2027, 3, 23, 0, 1, tzinfo=UTC))
    assert found() == [tokyo.pk]
    clock.enter_by_clock(now=datetime(2027, 3, 23, 7, 59, tzinfo=UTC))
    assert found() == [tokyo.pk]
    for _again in range(2):
        clock.enter_by_clock(now=datetime(2027, 3, 23, 8, 0, tzinfo=UTC))
    assert found() == [tokyo.pk, berlin.pk]


def test_a_leap_day_is_kept_on_the_day_before() -> None:
    ada = make_customer(date_of_birth=date(2000, 2, 29))
    entry = {"on": "date", "date": "date_of_birth", "days": -1, "every_year": True}
    workflow = starting(entry, datetime(2027, 2, 27, 8, tzinfo=UTC))
    clock.enter_by_clock(now=datetime(2027, 2, 27, 9, tzinfo=UTC))
    assert workflow.enrollments.get().customer == ada


def test_a_schedule_lets_its_audience_enter_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "CHUNK", 2)
    people = [make_customer() for _ in range(5)]
    workflow = starting({"on": "schedule", "every": "weekly", "weekdays": ["tue"]}, MONDAY)
    tuesday = datetime(2027, 3, 23, 9, 0, 5, tzinfo=UTC)
    for now in (MONDAY, tuesday, tuesday, tuesday + timedelta(days=7)):
        while clock.enter_by_clock(now=now):
            pass
    assert workflow.enrollments.count() == 2 * len(people)


def test_reentry_holds_between_the_times_of_a_schedule() -> None:
    make_customer()
    entry = {"on": "schedule", "every": "weekly", "weekdays": ["tue"]}
    workflow = starting(entry, MONDAY, reentry={"after_days": 10})
    tuesday = datetime(2027, 3, 23, 9, 0, 5, tzinfo=UTC)
    entered = []
    for week in range(4):
        clock.enter_by_clock(now=tuesday + timedelta(weeks=week))
        entered.append(workflow.enrollments.count())
    assert entered == [1, 1, 2, 2]


def test_the_members_of_a_segment_enter_at_activation() -> None:
    ada = make_customer()
    make_customer()
    segment = Segment.objects.create(name="Warm", slug="warm", kind="static")
    members.add(segment, [ada.pk])
    entry = {"on": "segment", "segment": "warm", "with_members": True}
    workflow = make_workflow(define(entry=entry))
    clock.enter_by_clock()
    assert workflow.enrollments.get().customer == ada
