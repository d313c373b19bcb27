"""Steps call webhooks and mail staff, once, or say that they do not know."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from multiprocessing import get_context
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection, connections
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook

from crm import masking
from crm.api import ids
from crm.events import webhooks
from crm.events.models import WebhookEndpoint
from crm.roles import Role
from customers import privacy
from marketing import workflows
from marketing.models import CampaignExecution, WorkflowCall
from tests.factories.accounts import in_role
from tests.factories.customers import make_customer
from tests.factories.marketing import make_template
from tests.factories.workflows import after, define, enroll, make_workflow, pass_time, way
from tests.http_stub import Stub, serving

pytestmark = pytest.mark.django_db(transaction=True)

OK = (200, {"Content-Type": "application/json"}, json.dumps({"data": [{"code": "X7", "n": 5}]}))


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Stub]:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    with serving() as stub:
        stub.answer = OK
        yield stub


def make_webhook(receiver: Stub) -> tuple[WebhookEndpoint, str]:
    endpoint = WebhookEndpoint(name="Shop", url=receiver.url, types=["workflow.call"])
    return endpoint, webhooks.create(endpoint)


def coupon(**more: Any) -> dict[str, Any]:
    """Return a step that asks the shop for a coupon."""
    return {
        "type": "http", "webhook": "Shop", "data": {"cart": "{{ entry.cart }}", "of": ["{{ customer.city }}", 1]},
        "answer": {"code": "data.0.code", "none": "data.9.code"}, **more,
    }  # fmt: skip


def call_all() -> None:
    """Make all calls, those that wait to be tried again included, and move the passages."""
    WorkflowCall.objects.filter(state="pending").update(next_attempt_at=timezone.now())
    WebhookEndpoint.objects.update(held_until=None)
    for endpoint_id in workflows.endpoints_with_calls():
        workflows.make_calls(endpoint_id)
    pass_time()


def test_a_call_is_signed_and_its_answer_reaches_the_message(receiver: Stub) -> None:
    _endpoint, secret = make_webhook(receiver)
    ada = make_customer(email="ada@example.com", city="Rome")
    make_template(name="code", subject="{{ steps.ask.code }}", body="{{ unsubscribe_url }}")
    steps = {
        "ask": coupon(next={"success": "mail", "failure": None}),
        "mail": {"type": "send", "template": "code"},
    }
    workflow = make_workflow(define(steps))
    enroll(workflow, ada, cart="c1")
    assert workflow.enrollments.get().state == "waiting"
    call_all()

    (request,) = receiver.requests
    posted = Webhook(secret).verify(request.body, dict(request.headers))
    passage = workflow.enrollments.get()
    assert request.headers["Idempotency-Key"] == f"{passage.pk}:1"
    assert posted["customer"] == ids.encode("cus", ada.pk)
    assert posted["data"] == {"cart": "c1", "of": ["Rome", 1]}
    assert way(passage) == ["entered", "ask>success", "mail>sent", "completed"]
    answer = {"state": "done", "status": 200, "code": "X7"}
    assert CampaignExecution.objects.get().context["steps"]["ask"] == answer


@pytest.mark.parametrize("refusal", [404, 301, 410])
def test_a_refused_call_leaves_by_failure(receiver: Stub, refusal: int) -> None:
    make_webhook(receiver)
    receiver.answer = (refusal, {"Location": "/"}, "no such cart")
    workflow = make_workflow(define({"ask": coupon()}))
    enroll(workflow, make_customer())
    call_all()
    assert way(workflow.enrollments.get()) == ["entered", "ask>failure", "completed"]
    assert workflow.enrollments.get().answers["ask"] == {"state": "failed", "status": refusal}
    assert len(receiver.requests) == 1


def test_a_call_is_tried_again_with_its_key(receiver: Stub) -> None:
    make_webhook(receiver)
    receiver.answers = [(500, {}, "broken"), (429, {"Retry-After": "7"}, "")]
    workflow = make_workflow(define({"ask": coupon()}))
    enroll(workflow, make_customer())
    for _attempt in range(3):
        call_all()
    assert {each.headers["Idempotency-Key"] for each in receiver.requests} == {
        f"{workflow.enrollments.get().pk}:1"
    }
    assert len(receiver.requests) == 3
    assert way(workflow.enrollments.get())[1] == "ask>success"


def test_a_receiver_delays_a_call_for_a_day_at_most(receiver: Stub) -> None:
    make_webhook(receiver)
    receiver.answer = (429, {"Retry-After": "9" * 20}, "")
    workflow = make_workflow(define({"ask": coupon()}))
    enroll(workflow, make_customer())
    for endpoint_id in workflows.endpoints_with_calls():
        workflows.make_calls(endpoint_id)
    assert after(hours=23) < WorkflowCall.objects.get().next_attempt_at < after(hours=25)


def test_a_call_without_an_answer_in_time_leaves_by_failure(receiver: Stub) -> None:
    endpoint, _secret = make_webhook(receiver)
    WebhookEndpoint.objects.update(is_active=False)
    workflow = make_workflow(define({"ask": coupon(timeout="10m")}))
    enroll(workflow, make_customer())
    call_all()
    pass_time(after(minutes=11))
    assert way(workflow.enrollments.get())[1] == "ask>failure"
    webhooks.switch_on(endpoint)
    call_all()
    assert not receiver.requests


def test_a_call_that_broke_off_is_unconfirmed(receiver: Stub) -> None:
    make_webhook(receiver)
    receiver.answer = lambda handler: handler.connection.close()
    workflow = make_workflow(define({"ask": coupon()}))
    enroll(workflow, make_customer())
    for _attempt in range(2):
        call_all()
    assert len(receiver.requests) == 1
    assert workflow.enrollments.get().answers["ask"]["state"] == "unconfirmed"


def _make_calls(endpoint_id: int, name: str) -> None:
    connections.close_all()
    connection.settings_dict["NAME"] = name
    workflows.make_calls(endpoint_id)


def test_a_call_whose_worker_died_is_never_repeated(receiver: Stub, settings: Settings) -> None:
    settings.WEBHOOK_TIMEOUT_SECONDS = 20
    endpoint, _secret = make_webhook(receiver)

    def hang(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(5)

    receiver.answers = [hang]
    workflow = make_workflow(define({"ask": coupon()}))
    enroll(workflow, make_customer())
    name = connection.settings_dict["NAME"]
    connections.close_all()
    worker = get_context("fork").Process(target=_make_calls, args=(endpoint.pk, name))
    worker.start()
    deadline = time.monotonic() + 20
    while not receiver.requests:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()

    assert WorkflowCall.objects.get().state == "calling"
    call_all()
    WorkflowCall.objects.update(leased_until=timezone.now())
    call_all()
    assert WorkflowCall.objects.get().state == "unconfirmed"
    assert way(workflow.enrollments.get())[1] == "ask>failure"
    assert len(receiver.requests) == 1


def test_a_private_address_is_not_called(receiver: Stub, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = False
    make_webhook(receiver)
    enroll(make_workflow(define({"ask": coupon()})), make_customer())
    call_all()
    assert not receiver.requests
    assert "not on the public internet" in WorkflowCall.objects.get().error


def test_an_answer_is_bounded(receiver: Stub) -> None:
    make_webhook(receiver)
    picks = {"long": "long", "nul": "nul", "short": "short"}
    body = json.dumps({"long": "x" * 5_000, "nul": "a\0b", "short": "y"})
    for answer, kept in ((body, {"short": "y"}), ("<p>no JSON</p>", {}), ("[1]", {})):
        receiver.answer = (200, {}, answer)
        workflow = make_workflow(define({"ask": coupon(answer=picks)}))
        enroll(workflow, make_customer())
        call_all()
        found = workflow.enrollments.get().answers["ask"]
        assert found == {"state": "done", "status": 200, **kept}


def test_a_passage_that_exits_takes_its_call_back(receiver: Stub) -> None:
    make_webhook(receiver)
    workflow = make_workflow(define({"ask": coupon()}))
    ada, bob = make_customer(), make_customer()
    enroll(workflow, ada, bob)
    workflows.end_by_hand(workflow, [workflow.enrollments.get(customer=ada).pk])
    privacy.erase(bob, by=None)
    call_all()
    assert not receiver.requests


def test_staff_are_mailed_with_a_link_to_the_customer(mailoutbox: list[EmailMessage]) -> None:
    support = in_role(Role.SUPPORT)
    ada = make_customer(first_name="Ada")
    steps = {
        "tell": {
            "type": "notify", "to": [support.email.upper()],
            "subject": "Call\n{{ customer.name }}", "text": "Cart {{ entry.cart }}",
        },
    }  # fmt: skip
    workflow = make_workflow(define(steps))
    enroll(workflow, ada, cart="c1")
    assert workflow.enrollments.get().state == "completed"
    for _again in range(2):
        call_all()
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == ([support.email], "Call Ada")
    assert "Cart c1" in mail.body
    assert f"/admin/customers/customer/{ada.pk}/change/" in mail.body


def test_only_active_users_are_mailed(mailoutbox: list[EmailMessage]) -> None:
    support = in_role(Role.SUPPORT)
    step = {"type": "notify", "to": [support.email], "subject": "Hi", "text": "{{ entry.x }}"}
    with pytest.raises(workflows.DefinitionError, match="no active user"):
        workflows.check(define({"tell": {**step, "to": ["ada@example.com"]}}))
    with masking.hidden(), pytest.raises(workflows.DefinitionError, match="personal data"):
        workflows.read(define({"tell": step}))
    workflow = make_workflow(define({"tell": step}))
    support.is_active = False
    support.save()
    enroll(workflow, make_customer())
    call_all()
    assert not mailoutbox
    assert WorkflowCall.objects.get().state == "failed"


def test_a_later_text_sees_the_state_of_a_message() -> None:
    ada = make_customer(email="ada@example.com")
    make_template(name="hello", body="{{ unsubscribe_url }}")
    steps = {
        "mail": {"type": "send", "template": "hello", "next": "pause"},
        "pause": {"type": "wait", "for": "1d", "next": "note"},
        "note": {"type": "update", "attributes": {"mail": "{{ steps.mail.state }} {{ steps.mail.opened }}"}},
    }  # fmt: skip
    enroll(make_workflow(define(steps)), ada)
    now = timezone.now()
    CampaignExecution.objects.update(state="delivered", opened_at=now)
    pass_time(after(days=2))
    ada.refresh_from_db()
    assert ada.attributes == {"mail": "delivered true"}
