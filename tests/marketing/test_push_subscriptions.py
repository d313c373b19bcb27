"""Browsers subscribe by signed token or write key and belong to one customer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from customers import push
from customers.identity import merge, undo
from customers.models import Customer, PushSubscription
from customers.privacy import erase
from customers.tracking_api import keys
from marketing.channels.webpush import application_key
from marketing.models import Sender
from marketing.sending import sender_accounts
from tests.factories.customers import make_customer
from tests.factories.marketing import make_sender
from tests.marketing.test_webpush_channel import Browser

pytestmark = pytest.mark.django_db

ENDPOINT = "https://push.example/send/abc"


@pytest.fixture
def sender() -> Sender:
    sender = make_sender(channel="push", provider="webpush", from_address="")
    sender_accounts.set_up(sender, {})
    sender.save()
    return sender


@pytest.fixture
def ada() -> Customer:
    return make_customer(external_id="7")


def post_subscription(sender: Sender, body: Any) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return Client(enforce_csrf_checks=True).post(
        f"/push/{sender.public_id}/subscriptions",
        text,
        content_type="text/plain",
        headers={"Origin": "https://shop.example", "User-Agent": "Firefox"},
    )


def subscription(endpoint: str = ENDPOINT) -> dict[str, Any]:
    return {"endpoint": endpoint, "expirationTime": None, "keys": Browser().keys}


def test_an_api_token_subscribes_its_customer(
    api: APIClient, sender: Sender, ada: Customer
) -> None:
    token = api.post("/api/customers/7/push-token").data["token"]
    for _ in range(2):
        response = post_subscription(sender, {"subscription": subscription(), "token": token})
        assert response.status_code == 201
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    stored = PushSubscription.objects.get()
    assert (stored.customer, stored.application_key) == (ada, application_key(sender))
    ada.refresh_from_db()
    assert ada.push_address == f"push_{stored.pk}"


def test_a_write_key_and_user_id_subscribe_the_customer(sender: Sender, ada: Customer) -> None:
    _key, text = keys.issue_key("shop")
    body = {"subscription": subscription(), "userId": "7", "writeKey": text}
    assert post_subscription(sender, body).status_code == 201
    assert PushSubscription.objects.get().customer == ada


def test_a_browser_key_subscribes_by_signature(sender: Sender, ada: Customer) -> None:
    """Else a visitor would get the messages of any customer."""
    key, text = keys.issue_key("page", "browser")
    body = {"subscription": subscription(), "userId": "7", "writeKey": text}
    for signature in ({}, {"userHash": keys.sign("8", keys.secret_of(key))}):
        assert post_subscription(sender, {**body, **signature}).status_code == 403
    assert not PushSubscription.objects.exists()
    signed = {**body, "userHash": keys.sign("7", keys.secret_of(key))}
    assert post_subscription(sender, signed).status_code == 201
    assert PushSubscription.objects.get().customer == ada


@pytest.mark.parametrize(
    "identity",
    [
        {}, {"token": "x"}, {"token": 7}, {"userId": "7"}, {"userId": "7", "writeKey": "wk_wrong"}, {"userId": "7", "writeKey": 1},
    ],
)  # fmt: skip
def test_an_unidentified_request_is_refused(
    sender: Sender, ada: Customer, identity: dict[str, object]
) -> None:
    assert (
        post_subscription(sender, {"subscription": subscription(), **identity}).status_code == 403
    )
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x", "https://127.0.0.1/x", "https://169.254.169.254/x", "https://[::1]/x", "ftp://x", "", "x" * 3000,
    ],
)  # fmt: skip
def test_an_invalid_push_endpoint_is_refused(
    api: APIClient, sender: Sender, ada: Customer, endpoint: str
) -> None:
    token = api.post("/api/customers/7/push-token").data["token"]
    response = post_subscription(sender, {"subscription": subscription(endpoint), "token": token})
    assert response.status_code == 400


@pytest.mark.parametrize("body", ["", "[", "[]", "7", '{"subscription": 7, "token": null}', "\x00"])
def test_an_invalid_body_returns_a_client_error(sender: Sender, body: str) -> None:
    assert post_subscription(sender, body).status_code in {400, 403}


def test_unsubscribing_deletes_the_browser_by_endpoint(sender: Sender, ada: Customer) -> None:
    push.subscribe(ada, endpoint=ENDPOINT, application_key="k", **Browser().keys)
    assert post_subscription(sender, {"unsubscribe": ENDPOINT}).status_code == 204
    assert not PushSubscription.objects.exists()
    ada.refresh_from_db()
    assert ada.push_address == ""


def test_a_browser_moves_to_its_latest_customer(ada: Customer) -> None:
    bob = make_customer()
    push.subscribe(ada, endpoint=ENDPOINT, application_key="k", **Browser().keys)
    push.subscribe(bob, endpoint=ENDPOINT, application_key="k", **Browser().keys)
    ada.refresh_from_db()
    bob.refresh_from_db()
    assert (ada.push_address, bob.push_address != "") == ("", True)


def test_merge_and_undo_move_the_browsers(ada: Customer) -> None:
    bob = make_customer()
    push.subscribe(bob, endpoint=ENDPOINT, application_key="k", **Browser().keys)
    done = merge(ada.pk, bob.pk, by=None)
    ada.refresh_from_db()
    assert ada.push_address == f"push_{PushSubscription.objects.get().pk}"
    undo(done.pk)
    ada.refresh_from_db()
    assert ada.push_address == ""
    assert Customer.objects.get(pk=bob.pk).push_address != ""


def test_erasing_a_customer_deletes_the_browsers(ada: Customer) -> None:
    push.subscribe(ada, endpoint=ENDPOINT, application_key="k", **Browser().keys)
    erase(ada, by=None)
    ada.refresh_from_db()
    assert ada.push_address == ""
    assert not PushSubscription.objects.exists()


def test_the_subscription_scripts_are_served(sender: Sender) -> None:
    script = Client().get(f"/push/{sender.public_id}/subscribe.js")
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert application_key(sender) in script.content.decode().replace("\\u002D", "-")
    worker = Client().get("/push/worker.js")
    assert "showNotification" in worker.content.decode()
    other = make_sender()
    assert Client().get(f"/push/{other.public_id}/subscribe.js").status_code == 404


def test_the_admin_lists_and_deletes_browsers(staff_client: Client, ada: Customer) -> None:
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    push.subscribe(
        ada, endpoint=ENDPOINT, application_key="k", user_agent=firefox, **Browser().keys
    )
    subscription = PushSubscription.objects.get()
    listed = staff_client.get("/admin/customers/pushsubscription/").content.decode()
    assert "Firefox, Windows" in listed
    assert ENDPOINT not in listed
    person = staff_client.get(f"/admin/customers/customer/{ada.pk}/change/").content.decode()
    assert "Firefox, Windows" in person

    staff_client.post(
        f"/admin/customers/pushsubscription/{subscription.pk}/delete/", {"post": "yes"}
    )
    ada.refresh_from_db()
    assert (PushSubscription.objects.count(), ada.push_address) == (0, "")
