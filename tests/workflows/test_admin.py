"""Workflows are drafted, published and watched in the admin."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm import jobs
from crm.accounts.models import User
from marketing import workflows
from marketing.models import CampaignTemplate, Enrollment, Workflow
from tests.factories.customers import make_customer
from tests.factories.marketing import make_sender
from tests.factories.workflows import define, enroll, happen, make_workflow, pass_time

pytestmark = pytest.mark.django_db

WAIT = {"type": "wait", "for": "1h"}
ADD = reverse("admin:marketing_workflow_add")


def url(name: str, workflow: Workflow, *more: str) -> str:
    return reverse(f"admin:marketing_workflow_{name}", args=[workflow.pk, *more])


def save(client: Client, workflow: Workflow, definition: Any, *, seen: str | None = None) -> Any:
    stamp = workflow.updated_at.isoformat() if seen is None else seen
    body = {"definition": json.dumps(definition), "seen": stamp}
    return client.post(url("draft", workflow), body)


@pytest.mark.parametrize("key", [each.key for each in workflows.STARTERS])
def test_a_starter_can_be_published_as_it_is(staff_client: Client, staff: User, key: str) -> None:
    make_sender()
    assert staff_client.post(ADD, {"starter": key}).status_code == 302
    workflow = Workflow.objects.get()
    assert workflows.problems(workflow.draft, workflow) == []
    words = workflows.in_words(workflow.draft)
    assert words["entry"]
    assert all(words["steps"].values())
    version, _transfer = workflows.publish(workflow, by=staff)
    assert version.number == 1


def test_a_second_start_keeps_the_templates_of_the_first(staff_client: Client) -> None:
    for _ in range(2):
        staff_client.post(ADD, {"starter": "welcome"})
    assert Workflow.objects.count() == 2
    assert CampaignTemplate.objects.count() == 3


def test_a_changed_draft_leaves_its_starter_alone(staff: User) -> None:
    starter = workflows.find_starter("welcome")
    assert starter
    workflows.start_from(starter, by=staff).draft["steps"]["hello"]["sender"] = "other"
    assert "sender" not in workflows.start_from(starter, by=staff).draft["steps"]["hello"]


def test_an_incomplete_draft_is_saved_with_its_problems(staff_client: Client) -> None:
    workflow = workflows.save_draft(Workflow(name="New", slug="new"), define(), by=None)
    half = define({"hello": {"type": "send", "next": "gone"}})
    told = save(staff_client, workflow, half).json()
    workflow.refresh_from_db()
    assert workflow.draft == half
    paths = [each["path"] for each in told["problems"]]
    assert "steps.hello.template" in paths
    assert any(path.startswith("steps.hello.next") for path in paths)
    assert save(staff_client, workflow, define(), seen=told["seen"]).json()["problems"] == []


def test_a_draft_that_another_user_changed_is_not_overwritten(staff_client: Client) -> None:
    ada = User.objects.create_user(email="ada@example.com", password=None)
    workflow = workflows.save_draft(Workflow(name="New", slug="new"), define(), by=ada)
    response = save(staff_client, workflow, define({"pause": WAIT}), seen="earlier")
    assert response.status_code == 409
    assert "ada@example.com" in response.json()["message"]
    workflow.refresh_from_db()
    assert workflow.draft == define()


@pytest.mark.parametrize("written", ["", "[]", "{", '{"steps": "\\u0000"}'])
def test_a_draft_that_is_no_object_is_refused(staff_client: Client, written: str) -> None:
    workflow = workflows.save_draft(Workflow(name="New", slug="new"), define(), by=None)
    body = {"definition": written, "seen": workflow.updated_at.isoformat()}
    assert staff_client.post(url("draft", workflow), body).status_code == 400


def test_publishing_asks_for_a_plan_and_counts_it(staff_client: Client, staff: User) -> None:
    workflow = make_workflow(define({"pause": WAIT}))
    enroll(workflow, *(make_customer() for _ in range(3)))
    workflows.save_draft(workflow, define({"longer": {**WAIT, "for": "2h"}}), by=staff)
    page = url("publish", workflow)
    assert "3 customers" in staff_client.get(page).content.decode()
    undecided = staff_client.post(page, {"confirmed": "yes"})
    assert undecided.status_code == 200
    counted = staff_client.post(page, {"step-pause": "longer"}).content.decode()
    assert "continue at “longer”" in counted
    assert workflow.versions.count() == 1
    staff_client.post(page, {"step-pause": "longer", "confirmed": "yes"})
    pass_time()
    assert set(workflow.enrollments.values_list("step", "version__number")) == {("longer", 2)}


def test_a_published_draft_lets_customers_enter(staff_client: Client) -> None:
    workflow = workflows.save_draft(Workflow(name="New", slug="new"), define({"pause": WAIT}), by=None)  # fmt: skip
    staff_client.post(url("publish", workflow), {"activate": "on", "confirmed": "yes"})
    workflow.refresh_from_db()
    assert workflow.state == Workflow.State.ACTIVE
    for move, state in (("pause", "paused"), ("resume", "active"), ("archive", "archived")):
        page = url("move", workflow, move)
        assert staff_client.get(page).status_code == 200
        staff_client.post(page, {"confirmed": "yes"})
        workflow.refresh_from_db()
        assert workflow.state == state


def test_the_live_page_compares_branches_versions_and_the_holdout(staff_client: Client) -> None:
    branches = [{"name": "A", "next": None}, {"name": "B", "next": None}]
    definition = define(
        {"lot": {"type": "experiment", "branches": branches}},
        goal={"event": "order_placed", "window_days": 7},
        holdout_percent=50,
    )
    workflow = make_workflow(definition)
    enroll(workflow, *(make_customer() for _ in range(20)))
    workflows.save_draft(workflow, {**definition, "holdout_percent": 40}, by=None)
    workflows.publish(workflow, by=None)
    live = staff_client.get(url("live", workflow)).content.decode()
    for words in ("Against the first branch", "By version", "holdout group: 0.0%"):
        assert words in live


def test_a_draft_is_tried_out_before_it_is_published(staff_client: Client) -> None:
    make_sender()
    ada = make_customer(email="ada@example.com")
    happen(ada, "cart_updated", at=timezone.now() - timedelta(days=3), cart_id="c1")
    staff_client.post(ADD, {"starter": "abandoned-cart"})
    workflow = Workflow.objects.get()
    page = url("trial", workflow)
    lines = {"cart_id": "c1", "lines": [{"name": "Tent", "quantity": 2}]}
    walked = staff_client.get(page, {"customer": ada.email, "entry": json.dumps(lines)})
    words = walked.content.decode()
    assert "Left the step “an_hour”" in words
    assert "Tent" in words
    assert Enrollment.objects.count() == 0
    assert (
        "There is no such customer." in staff_client.get(page, {"customer": "x"}).content.decode()
    )
    today = timezone.localdate()
    days = {"since": today - timedelta(days=30), "until": today}
    assert staff_client.post(page, days).status_code == 302
    jobs.run(workflow.backtests.get())
    assert "1 of 1 customers who would have entered" in staff_client.get(page).content.decode()
    workflows.save_draft(workflow, define({"hello": {"type": "send"}}), by=None)
    assert "steps.hello.template" in staff_client.post(page, days).content.decode()
    days["until"] = days["since"]
    assert "Choose a day after the first one" in staff_client.post(page, days).content.decode()


def test_pages_show_figures_and_passages(staff_client: Client) -> None:
    workflow = make_workflow(define({"pause": WAIT}))
    enroll(workflow, make_customer(first_name="Ada", last_name="Byron"))
    passage = Enrollment.objects.get()
    live = staff_client.get(url("live", workflow)).content.decode()
    assert "here now" in live
    listed = staff_client.get(
        reverse("admin:marketing_enrollment_changelist"), {"step__exact": "pause", "under_way": "yes"}
    )  # fmt: skip
    assert "Ada Byron" in listed.content.decode()
    customer = reverse("admin:customers_customer_change", args=[passage.customer_id])
    assert "at “pause”" in staff_client.get(customer).content.decode()
    page = reverse("admin:marketing_enrollment_change", args=[passage.pk])
    assert "Entered" in staff_client.get(page).content.decode()
    staff_client.post(f"{page.removesuffix('change/')}exit_passage/", {"confirmed": "yes"})
    passage.refresh_from_db()
    assert passage.exit_reason == Enrollment.ExitReason.MANUAL
    for name in ("change", "versions", "settings"):
        assert staff_client.get(url(name, workflow)).status_code == 200
    assert "Workflow 1" in staff_client.get(reverse("admin:marketing_workflow_changelist")).content.decode()  # fmt: skip
