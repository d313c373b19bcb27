"""Webhooks are signed, ordered by customer, retried for a day, and switched off after failures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from standardwebhooks import Webhook

from crm.events import outbox, reader
from crm.events.models import WebhookDelivery, WebhookEndpoint
from crm.events.webhooks import deliver, endpoints, queue
from tests.http_stub import Stub, serving

pytestmark = pytest.mark.django_db(transaction=True)
State = WebhookDelivery.State
BROKEN = (500, {}, "broken")


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Stub]:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    settings.EVENT_STREAM = settings.EVENT_CHANNEL = ""
    with serving() as stub:
        yield stub


def subscribe(receiver: Stub, *types: str, **values: Any) -> tuple[WebhookEndpoint, str]:
    endpoint = WebhookEndpoint(name="Shop", url=receiver.url, types=list(types), **values)
    return endpoint, endpoints.create(endpoint)


def emit_event(type: str, customer_id: int | None = None, **data: object) -> None:
    with transaction.atomic():
        outbox.emit(type, customer_id=customer_id, data=data)


def deliver_due(endpoint: WebhookEndpoint) -> int:
    reader.drain_all()
    return deliver.deliver(endpoint.pk)


def make_due() -> None:
    WebhookDelivery.objects.filter(state=State.PENDING).update(next_attempt_at=timezone.now())
    WebhookEndpoint.objects.update(held_until=None)


def test_a_post_is_a_signed_cloud_event(receiver: Stub) -> None:
    endpoint, secret = subscribe(receiver, "test.*")
    emit_event("test.happened", 7, n=1)
    assert deliver_due(endpoint) == 1
    (request,) = receiver.requests
    event = Webhook(secret).verify(request.body, dict(request.headers))
    assert event["type"] == "test.happened"
    assert event["specversion"] == "1.0"
    assert event["id"] == request.headers["webhook-id"]
    assert event["subject"] == f"customer/{event['data']['customer']}"
    assert event["data"]["customer"].startswith("cus_")


def test_a_secret_is_stored_encrypted(receiver: Stub) -> None:
    endpoint, secret = subscribe(receiver)
    assert secret not in endpoint.secret


def test_after_a_rotation_both_secrets_verify(receiver: Stub) -> None:
    endpoint, old = subscribe(receiver)
    new = endpoints.rotate(endpoint)
    emit_event("test.happened")
    deliver_due(endpoint)
    (request,) = receiver.requests
    for secret in (old, new):
        Webhook(secret).verify(request.body, dict(request.headers))


def test_only_subscribed_events_are_posted(receiver: Stub) -> None:
    endpoint, _secret = subscribe(receiver, "order.placed")
    emit_event("order.returned")
    emit_event("customers.changed", created=[], updated=[])
    assert deliver_due(endpoint) == 0


def test_a_later_event_of_a_customer_waits_for_the_earlier(receiver: Stub) -> None:
    endpoint, _secret = subscribe(receiver)
    receiver.answers = [BROKEN]
    for customer, number in ((1, 1), (1, 2), (2, 3)):
        emit_event("test.happened", customer, n=number)
    assert deliver_due(endpoint) == 1
    make_due()
    assert deliver.deliver(endpoint.pk) == 2
    assert [each.json["data"]["n"] for each in receiver.requests] == [1, 3, 1, 2]


def test_a_delivery_is_retried_for_a_day_and_fails_then(receiver: Stub) -> None:
    endpoint, _secret = subscribe(receiver)
    receiver.answer = BROKEN
    emit_event("test.happened")
    reader.drain_all()
    waits = []
    for _attempt in range(len(deliver.PAUSES)):
        make_due()
        deliver.deliver(endpoint.pk)
        due_at = WebhookDelivery.objects.get().next_attempt_at
        assert due_at is not None
        waits.append((due_at - timezone.now()).total_seconds())
    assert 19 * 3600 < sum(waits) < 29 * 3600
    make_due()
    deliver.deliver(endpoint.pk)
    given_up = WebhookDelivery.objects.get()
    assert (given_up.state, given_up.response_code, given_up.attempts) == (State.FAILED, 500, 9)
    receiver.answer = (200, {}, "")
    assert queue.replay(queue.failed_since(endpoint, None)) == 1
    make_due()
    assert deliver.deliver(endpoint.pk) == 1


def test_a_failing_endpoint_is_switched_off_with_an_email(
    receiver: Stub, mailoutbox: list[Any]
) -> None:
    endpoint, _secret = subscribe(receiver, notify="ops@example.com")
    receiver.answer = BROKEN
    emit_event("test.happened")
    deliver_due(endpoint)
    long_ago = timezone.now() - timedelta(hours=25)
    WebhookEndpoint.objects.update(failing_since=long_ago)
    make_due()
    deliver.deliver(endpoint.pk)
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert endpoint.switched_off_why
    assert [mail.to for mail in mailoutbox] == [["ops@example.com"]]


def test_a_410_switches_an_endpoint_off_at_once(receiver: Stub) -> None:
    endpoint, _secret = subscribe(receiver)
    receiver.answer = (410, {}, "")
    emit_event("test.happened")
    deliver_due(endpoint)
    endpoint.refresh_from_db()
    assert not endpoint.is_active


def test_a_private_address_is_refused(receiver: Stub, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = False
    endpoint, _secret = subscribe(receiver)
    emit_event("test.happened")
    assert deliver_due(endpoint) == 0
    assert receiver.requests == []
    assert "public internet" in WebhookDelivery.objects.get().error


def test_two_workers_never_claim_the_same_delivery(receiver: Stub) -> None:
    endpoint, _secret = subscribe(receiver)
    for customer in range(4):
        emit_event("test.happened", customer)
    reader.drain_all()
    first, second = deliver.claim(endpoint, 2), deliver.claim(endpoint)
    assert len(first) == len(second) == 2
    assert {each.pk for each in first}.isdisjoint(each.pk for each in second)


def test_webhooks_over_the_api(receiver: Stub, api: APIClient) -> None:
    made = api.post(
        "/api/webhooks/", {"name": "Shop", "url": receiver.url, "types": ["test.*"]}, format="json"
    ).json()
    assert made["secret"].startswith("whsec_")
    address = f"/api/webhooks/{made['id']}/"
    assert "secret" not in api.get(address).json()
    assert api.post(f"{address}test/").status_code == 202
    endpoint = WebhookEndpoint.objects.get()
    assert deliver.deliver(endpoint.pk) == 1
    log = api.get(f"{address}deliveries/").json()["results"]
    assert [(each["type"], each["state"]) for each in log] == [("webhook.test", "delivered")]
    again = api.post(f"{address}replay/", {"delivery": log[0]["id"]}, format="json")
    assert again.json() == {"replayed": 1}
    assert deliver.deliver(endpoint.pk) == 1
    assert len({each.headers["webhook-id"] for each in receiver.requests}) == 1


def test_another_address_needs_the_secret(api: APIClient, staff_client: Client) -> None:
    made = api.post("/api/webhooks", {"name": "Shop", "url": "https://shop.example/in"}).data
    page, moved = f"/api/webhooks/{made['id']}", "https://listener.example/in"
    for secret in ({}, {"secret": "whsec_guessed"}, {"secret": " "}):
        refused = api.patch(page, {"url": moved, **secret})
        assert refused.status_code == 400
        assert [each["path"] for each in refused.data["errors"]] == ["secret"]
    assert api.patch(page, {"name": "Renamed", "url": "https://shop.example/in"}).status_code == 200
    form = {"name": "Shop", "url": moved, "types": "", "notify": "", "is_active": "on"}
    admin_page = f"/admin/events/webhookendpoint/{WebhookEndpoint.objects.get().pk}/change/"
    refused = staff_client.post(admin_page, form)
    assert list(refused.context["adminform"].form.errors) == ["present_secret"]
    assert WebhookEndpoint.objects.get().url == "https://shop.example/in"

    assert api.patch(page, {"url": moved, "secret": made["secret"]}).status_code == 200
    again = {**form, "url": "https://shop.example/in", "present_secret": made["secret"]}
    assert staff_client.post(admin_page, again).status_code == 302
    new = api.post(f"{page}/rotate-secret").data["secret"]
    assert api.patch(page, {"url": moved, "secret": made["secret"]}).status_code == 400
    assert api.patch(page, {"url": moved, "secret": new}).status_code == 200


def test_a_new_webhook_gets_a_generated_secret(api: APIClient) -> None:
    own = {"name": "Shop", "url": "https://shop.example/in", "secret": "mine"}
    errors = api.post("/api/webhooks", own).data["errors"]
    assert [each["path"] for each in errors] == ["secret"]


def test_an_endpoint_works_once_it_has_delivered(receiver: Stub, staff_client: Client) -> None:
    endpoint, _secret = subscribe(receiver)
    url = reverse("admin:events_webhookendpoint_changelist")
    assert "Not used yet" in staff_client.get(url).content.decode()
    queue.send_test(endpoint)
    deliver.deliver(endpoint.pk)
    assert "Not used yet" not in staff_client.get(url).content.decode()
