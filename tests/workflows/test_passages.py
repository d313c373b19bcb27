"""Customers pass through workflows step by step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.events import reader
from customers import identity
from customers.models import Customer, Segment
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

CART: dict[str, Any] = {"on": "event", "event": "cart_updated", "per": "cart_id"}
BERLIN = {"operator": "AND", "conditions": [{"field": "city", "operator": "=", "value": "Berlin"}]}


def passage(customer: Customer, **which: Any) -> Enrollment:
    return Enrollment.objects.get(customer=customer, **which)


def test_a_wait_ends_when_its_time_is_over() -> None:
    ada = make_customer()
    workflow = make_workflow(define({"pause": {"type": "wait", "for": "1h"}}))
    enroll(workflow, ada)
    assert passage(ada).state == "waiting"

    pass_time(after(minutes=59))
    assert passage(ada).state == "waiting"

    pass_time(after(minutes=61))
    assert passage(ada).state == "completed"
    assert way(passage(ada)) == ["entered", "pause>", "completed"]


def test_a_split_leads_into_the_first_branch_that_fits() -> None:
    ada, bob = make_customer(city="Berlin"), make_customer(city="Rome")
    branches = [{"name": "berliners", "rules": BERLIN, "next": None}]
    workflow = make_workflow(define({"where": {"type": "split", "branches": branches}}))
    enroll(workflow, ada, bob)
    assert way(passage(ada)) == ["entered", "where>berliners", "completed"]
    assert way(passage(bob)) == ["entered", "where>else", "completed"]


def test_a_message_is_sent_with_the_event_of_the_entry() -> None:
    ada = make_customer(email="ada@example.com")
    make_template(name="reminder", subject="Cart {{ entry.cart_id }}", body="{{ unsubscribe_url }}")
    steps = {"mail": {"type": "send", "template": "reminder"}}
    make_workflow(define(steps, entry=CART))
    happen(ada, "cart_updated", cart_id="c1")
    pass_time()

    message = CampaignExecution.objects.get()
    found = passage(ada)
    assert message.visit == f"{found.pk}:1"
    assert message.context == {"entry": {"cart_id": "c1"}, "steps": {}}
    assert message.run.campaign.type == "workflow"
    assert way(found) == ["entered", "mail>sent", "completed"]


def test_two_carts_of_one_customer_run_side_by_side() -> None:
    ada = make_customer(email="ada@example.com")
    make_template(name="reminder", body="Cart {{ entry.cart_id }} {{ unsubscribe_url }}")
    steps = {
        "bought": {
            "type": "wait_for", "event": "order_placed", "match": {"cart_id": "{{ entry.cart_id }}"},
            "timeout": "1h", "next": {"happened": None, "timed_out": "mail"},
        },
        "mail": {"type": "send", "template": "reminder"},
    }  # fmt: skip
    make_workflow(define(steps, entry=CART))
    happen(ada, "cart_updated", cart_id="c1")
    happen(ada, "cart_updated", cart_id="c2")
    happen(ada, "cart_updated", cart_id="c1")
    assert Enrollment.objects.count() == 2
    pass_time()

    make_order(ada, attributes={"cart_id": "c2"})
    happen(ada, "order_placed", order=ada.orders.get().external_id)
    pass_time()
    assert passage(ada, entry_key="c2").state == "completed"
    assert passage(ada, entry_key="c1").state == "waiting"

    pass_time(after(minutes=61))
    assert [each.context["entry"]["cart_id"] for each in CampaignExecution.objects.all()] == ["c1"]


def test_an_event_counts_by_its_time_and_not_by_its_news() -> None:
    ada, bob = make_customer(), make_customer()
    steps = {"click": {"type": "wait_for", "event": "clicked", "timeout": "1h"}}
    workflow = make_workflow(define(steps))
    enroll(workflow, ada, bob)
    happen(ada, "clicked", at=after(minutes=59, seconds=58), told=False)
    happen(bob, "clicked", at=after(minutes=60, seconds=2), told=False)
    pass_time(after(minutes=61))
    assert way(passage(ada)) == ["entered", "click>happened", "completed"]
    assert way(passage(bob)) == ["entered", "click>timed_out", "completed"]


def test_an_event_during_the_step_before_counts() -> None:
    ada = make_customer()
    steps = {
        "pause": {"type": "wait", "for": "1h", "next": "click"},
        "click": {"type": "wait_for", "event": "clicked", "timeout": "1d"},
    }
    workflow = make_workflow(define(steps))
    enroll(workflow, ada)
    happen(ada, "clicked", at=after(minutes=10))
    pass_time(after(hours=2))
    assert way(passage(ada))[1:] == ["pause>", "click>happened", "completed"]


def test_an_exit_event_ends_the_passage_and_its_waiting_message() -> None:
    ada = make_customer(email="ada@example.com")
    make_template(name="hello", body="{{ unsubscribe_url }}")
    steps = {
        "mail": {"type": "send", "template": "hello", "next": "pause"},
        "pause": {"type": "wait", "for": "1d"},
    }
    workflow = make_workflow(define(steps, exit_when=[{"event": "left_us"}]))
    enroll(workflow, ada)
    happen(ada, "left_us")
    pass_time()
    assert (passage(ada).state, passage(ada).exit_reason) == ("exited", "event")
    assert CampaignExecution.objects.get().skip_reason == "cancelled"


def test_an_exit_event_that_is_not_told_yet_prevents_a_message() -> None:
    ada = make_customer(email="ada@example.com")
    make_template(name="hello", body="{{ unsubscribe_url }}")
    steps = {
        "pause": {"type": "wait", "for": "1h", "next": "mail"},
        "mail": {"type": "send", "template": "hello"},
    }
    workflow = make_workflow(define(steps, exit_when=[{"event": "order_placed"}]))
    enroll(workflow, ada)
    make_order(ada)
    happen(
        ada, "order_placed", at=after(minutes=59), order=ada.orders.get().external_id, told=False
    )
    pass_time(after(minutes=61))
    assert passage(ada).exit_reason == "event"
    assert not CampaignExecution.objects.exists()


def test_exit_rules_that_come_true_end_the_passage() -> None:
    ada = make_customer(city="Rome")
    steps = {"pause": {"type": "wait", "for": "1d"}}
    workflow = make_workflow(define(steps, exit_when=[{"rules": BERLIN}]))
    enroll(workflow, ada)
    Customer.objects.filter(pk=ada.pk).update(city="Berlin")
    workflows.react_to_changes([ada.pk])
    pass_time()
    assert passage(ada).exit_reason == "rules"


def test_a_wait_for_rules_ends_when_they_are_true() -> None:
    ada = make_customer(city="Rome")
    steps = {"moved": {"type": "wait_for", "rules": BERLIN, "timeout": "10d"}}
    enroll(make_workflow(define(steps)), ada)
    Customer.objects.filter(pk=ada.pk).update(city="Berlin")
    pass_time(after(minutes=6))
    assert way(passage(ada)) == ["entered", "moved>happened", "completed"]


def test_a_customer_comes_back_only_as_the_workflow_allows() -> None:
    ada = make_customer()
    never = make_workflow(define())
    weekly = make_workflow(define(reentry={"after_days": 7}))
    for workflow in (never, weekly):
        enroll(workflow, ada)
        enroll(workflow, ada)
        assert workflow.enrollments.count() == 1
        workflow.enrollments.update(entered_at=timezone.now() - timedelta(days=8))
        enroll(workflow, ada)
    assert (never.enrollments.count(), weekly.enrollments.count()) == (1, 2)


def test_nothing_of_an_old_passage_fires_after_the_customer_came_back() -> None:
    ada = make_customer(email="ada@example.com")
    make_template(name="hello", body="{{ unsubscribe_url }}")
    steps = {
        "pause": {"type": "wait", "for": "1d", "next": "mail"},
        "mail": {"type": "send", "template": "hello"},
    }
    more = {"reentry": {"after_days": 0}, "exit_when": [{"event": "left_us"}]}
    workflow = make_workflow(define(steps, **more))
    enroll(workflow, ada)
    happen(ada, "left_us", at=timezone.now() + timedelta(milliseconds=1))
    pass_time(after(seconds=1))
    enroll(workflow, ada)
    pass_time(after(days=2))
    first, second = workflow.enrollments.order_by("pk")
    assert (first.state, second.state) == ("exited", "completed")
    assert [each.visit for each in CampaignExecution.objects.all()] == [f"{second.pk}:2"]


def test_a_holdout_customer_leaves_at_once() -> None:
    people = [make_customer() for _ in range(40)]
    workflow = make_workflow(define({"pause": {"type": "wait", "for": "1d"}}, holdout_percent=50))
    enroll(workflow, *people)
    held = workflow.enrollments.filter(exit_reason="holdout").count()
    assert 5 < held < 35
    assert workflow.enrollments.filter(state="waiting").count() == 40 - held


def test_a_goal_is_met_within_its_window() -> None:
    ada, bob = make_customer(), make_customer()
    goal = {"event": "subscribed", "value": "price", "window_days": 7}
    workflow = make_workflow(define(goal=goal))
    enroll(workflow, ada, bob)
    workflow.enrollments.filter(customer=bob).update(entered_at=timezone.now() - timedelta(days=8))
    for customer in (ada, bob):
        happen(customer, "subscribed", price="12.50")
    assert str(passage(ada).goal_value) == "12.50"
    assert passage(bob).goal_at is None


def test_an_experiment_draws_the_same_branch_again() -> None:
    people = [make_customer() for _ in range(60)]
    branches = [{"name": "a", "weight": 2}, {"name": "b"}]
    workflow = make_workflow(
        define({"lot": {"type": "experiment", "branches": branches}}, reentry={"after_days": 0})
    )
    enroll(workflow, *people)
    first = {each.customer_id: way(each)[1] for each in workflow.enrollments.all()}
    assert 25 < sum(each == "lot>a" for each in first.values()) < 55
    enroll(workflow, *people)
    assert all(way(each)[1] == first[each.customer_id] for each in workflow.enrollments.all())


def test_steps_change_customers_and_lists() -> None:
    ada = make_customer(tags=["old"], attributes={"kept": 1})
    Segment.objects.create(name="Warm", slug="warm", kind="static")
    steps = {
        "set": {
            "type": "update", "attributes": {"cart": "{{ entry.id }}", "score": 3},
            "add_tags": ["hot"], "remove_tags": ["old"], "next": "list",
        },
        "list": {"type": "list", "segment": "warm", "next": "say"},
        "say": {"type": "emit", "event": "warmed", "properties": {"cart": "{{ entry.id }}"}},
    }  # fmt: skip
    enroll(make_workflow(define(steps)), ada, id="c1")
    ada.refresh_from_db()
    assert ada.attributes == {"kept": 1, "cart": "c1", "score": 3}
    assert ada.tags == ["hot"]
    assert ada.segments.get().slug == "warm"
    assert ada.interactions.get(type="warmed").properties["cart"] == "c1"
    assert ada.last_interaction_at is None


def test_a_loop_goes_round_as_often_as_it_says() -> None:
    ada = make_customer()
    steps = {
        "tag": {"type": "emit", "event": "round", "next": "again"},
        "again": {"type": "go_to", "step": "tag", "rounds": 2},
    }
    enroll(make_workflow(define(steps)), ada)
    assert ada.interactions.filter(type="round").count() == 3
    assert passage(ada).state == "completed"


def test_a_passage_that_fails_is_put_aside_and_can_be_retried() -> None:
    ada, bob = make_customer(), make_customer()
    steps = {"set": {"type": "update", "attributes": {"n": "{{ entry.n | divided_by: entry.by }}"}}}
    workflow = make_workflow(define(steps))
    workflows.enroll(workflow, [ada.pk], context={"n": 1, "by": 0})
    workflows.enroll(workflow, [bob.pk], context={"n": 4, "by": 2})
    pass_time()
    assert passage(ada).state == "failed"
    assert passage(ada).error
    assert passage(bob).state == "completed"

    Enrollment.objects.filter(customer=ada).update(context={"n": 1, "by": 1})
    assert workflows.retry(workflow, [passage(ada).pk]) == 1
    pass_time()
    assert passage(ada).state == "completed"


def test_nobody_moves_while_the_workflow_is_paused() -> None:
    ada, bob = make_customer(), make_customer()
    workflow = make_workflow(define({"pause": {"type": "wait", "for": "1h"}}))
    enroll(workflow, ada)
    workflows.pause(workflow)
    with pytest.raises(workflows.NotActive):
        workflows.enroll(workflow, [bob.pk], context={})
    pass_time(after(hours=2))
    assert passage(ada).state == "waiting"
    workflows.resume(workflow)
    pass_time(after(hours=2))
    assert passage(ada).state == "completed"


def test_a_segment_lets_its_new_members_enter() -> None:
    ada = make_customer()
    segment = Segment.objects.create(name="Warm", slug="warm", kind="static")
    entry = {"on": "segment", "segment": "warm"}
    workflow = make_workflow(define({"pause": {"type": "wait", "for": "1h"}}, entry=entry))
    from customers.segments import members

    members.add(segment, [ada.pk])
    reader.drain_all()
    assert workflow.enrollments.get().customer == ada


def test_a_skipped_message_leads_into_its_own_branch() -> None:
    ada = make_customer(email=None, external_id="a")
    make_template(name="hello", body="{{ unsubscribe_url }}")
    steps = {
        "mail": {"type": "send", "template": "hello", "next": {"sent": None, "skipped": "tag"}},
        "tag": {"type": "update", "add_tags": ["no address"]},
    }
    enroll(make_workflow(define(steps)), ada)
    assert way(passage(ada)) == ["entered", "mail>skipped", "tag>", "completed"]
    assert Customer.objects.get().tags == ["no address"]


def test_a_start_step_lets_customers_enter_another_workflow() -> None:
    ada = make_customer()
    follow_up = make_workflow(
        define({"pause": {"type": "wait", "for": "1d"}}, entry={"on": "workflow"})
    )
    steps = {"more": {"type": "start", "workflow": follow_up.slug}}
    starter = make_workflow(define(steps, entry=CART))
    happen(ada, "cart_updated", cart_id="c1")
    pass_time()
    pass_time()
    started = passage(ada, workflow=follow_up)
    assert (started.state, started.entry_key) == ("waiting", "c1")
    assert started.context == {"cart_id": "c1"}
    assert way(passage(ada, workflow=starter)) == ["entered", "more>", "completed"]
    with pytest.raises(workflows.NotActive):
        workflows.enroll(follow_up, [ada.pk], context={})


def test_a_stop_step_ends_the_passages_of_another_workflow() -> None:
    ada, bob = make_customer(email="ada@example.com"), make_customer(email="bob@example.com")
    make_template(name="hello", body="{{ unsubscribe_url }}")
    steps = {
        "mail": {"type": "send", "template": "hello", "next": "pause"},
        "pause": {"type": "wait", "for": "1d"},
    }
    nurture = make_workflow(define(steps))
    enroll(nurture, ada, bob)
    enroll(make_workflow(define({"end": {"type": "stop", "workflow": nurture.slug}})), ada)
    stopped = passage(ada, workflow=nurture)
    assert (stopped.state, stopped.exit_reason) == ("exited", "stopped")
    assert passage(bob, workflow=nurture).state == "waiting"
    assert CampaignExecution.objects.get(customer=ada).skip_reason == "cancelled"


def test_a_merge_ends_the_lesser_passage() -> None:
    ada, double = make_customer(email="ada@example.com"), make_customer(email="a@example.com")
    make_template(name="hello", body="{{ unsubscribe_url }}")
    steps = {
        "pause": {"type": "wait", "for": "1h", "next": "mail"},
        "mail": {"type": "send", "template": "hello", "next": "rest"},
        "rest": {"type": "wait", "for": "1d"},
    }
    workflow = make_workflow(define(steps))
    enroll(workflow, double)
    pass_time(after(hours=2))
    enroll(workflow, ada)
    CampaignExecution.objects.update(state="sent", sent_at=timezone.now())
    identity.merge(ada.pk, double.pk)
    further, lesser = workflow.enrollments.order_by("pk")
    assert {further.customer_id, lesser.customer_id} == {ada.pk}
    assert (further.step, further.state) == ("rest", "waiting")
    assert (lesser.state, lesser.exit_reason) == ("exited", "merged")
    assert way(lesser)[-1] == "exited merged"
    pass_time(after(days=3))
    assert CampaignExecution.objects.count() == 1
