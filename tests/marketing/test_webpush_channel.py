"""Web push messages are encrypted and signed, and expired browsers deleted."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from pytest_django import Settings

from customers import push
from customers.models import Customer, PushSubscription
from customers.models.consent import Channel as Kind
from marketing.channels.base import AccountError, PermanentError, SendError, TransientError
from marketing.channels.webpush import application_key
from marketing.models import Sender
from tests.contracts.channel import ChannelContract
from tests.factories.customers import make_customer
from tests.http_stub import Received, Stub

AUTH = b"0123456789abcdef"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Browser:
    """The browser side of RFC 8291: a key pair and decryption."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        point = self.private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        self.keys = {"p256dh": base64url(point), "auth": base64url(AUTH)}

    def read(self, body: bytes) -> Any:
        return json.loads(
            http_ece.decrypt(body, private_key=self.private, auth_secret=AUTH, version="aes128gcm")
        )


class TestWebPush(ChannelContract):
    provider = "webpush"
    channel = Kind.PUSH
    from_address = ""
    url_setting = ""
    accepted = (201, {"Location": "https://push.example/m/1"}, "")

    browser: Browser
    customer: Customer

    def make_sender(self, url: str) -> Sender:
        sender = super().make_sender(url)
        self.browser, self.customer = Browser(), make_customer()
        self.subscribe(sender, f"{url}/push/1", self.browser)
        return sender

    def subscribe(self, sender: Sender, endpoint: str, browser: Browser) -> None:
        """Subscribe a browser with an http endpoint, which validation refuses."""
        subscription = push.subscribe(
            self.customer,
            endpoint=endpoint.replace("http://", "https://"),
            application_key=application_key(sender),
            **browser.keys,
        )
        PushSubscription.objects.filter(pk=subscription.pk).update(endpoint=endpoint)
        self.customer.refresh_from_db()

    def message(self, **parts: Any) -> Any:
        return super().message(**{"to_address": self.customer.push_address, **parts})

    def check_request(self, request: Received) -> None:
        assert (request.method, request.path) == ("POST", "/push/1")
        assert request.headers["content-encoding"] == "aes128gcm"
        assert int(request.headers["ttl"]) > 0
        assert request.headers["topic"] == "msg_abc"
        scheme, _, parameters = request.headers["authorization"].partition(" ")
        assert scheme == "vapid"
        token = dict(each.split("=", 1) for each in parameters.split(","))["t"]
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        assert claims["aud"] == f"http://{request.headers['Host']}"
        assert claims["sub"] == "https://crm.example"
        assert time.time() < claims["exp"] <= time.time() + 86_400
        assert dict(each.strip().split("=", 1) for each in parameters.split(","))["k"] == (
            application_key(Sender.objects.get())
        )
        assert request.headers["urgency"] == "normal"
        assert Vapid02.verify(request.headers["authorization"])
        shown = self.browser.read(request.body)
        assert shown == {"id": "msg_abc", "title": "Hello", "body": "Hello Ada"}

    def test_the_notification_has_the_tracked_link(self, sender: Sender, stub: Stub) -> None:
        self.send(sender, text="New shoes", link="https://crm.example/t/c/x")
        shown = self.browser.read(stub.requests[0].body)
        assert (shown["body"], shown["url"]) == ("New shoes", "https://crm.example/t/c/x")

    def test_every_browser_of_the_customer_is_notified(self, sender: Sender, stub: Stub) -> None:
        self.subscribe(sender, f"{stub.url}/push/2", Browser())
        self.send(sender)
        assert {each.path for each in stub.requests} == {"/push/1", "/push/2"}

    @pytest.mark.parametrize("status", [404, 410])
    def test_an_expired_browser_is_deleted(self, sender: Sender, stub: Stub, status: int) -> None:
        stub.answer = (status, {}, "")
        assert isinstance(self.failure(sender), PermanentError)
        assert not PushSubscription.objects.exists()
        self.customer.refresh_from_db()
        assert self.customer.push_address == ""

    def test_one_accepting_browser_counts_as_sent(self, sender: Sender, stub: Stub) -> None:
        self.subscribe(sender, f"{stub.url}/push/2", Browser())
        stub.answers = [(410, {}, ""), (201, {}, "")]
        self.send(sender)
        assert PushSubscription.objects.get().endpoint.endswith("/push/1")
        self.customer.refresh_from_db()
        assert self.customer.push_address == f"push_{PushSubscription.objects.get().pk}"

    def test_a_busy_browser_is_retried(self, sender: Sender, stub: Stub) -> None:
        self.subscribe(sender, f"{stub.url}/push/2", Browser())
        stub.answers = [(410, {}, ""), (503, {}, "")]
        assert isinstance(self.failure(sender), TransientError)

    def test_a_too_long_message_fails_permanently(self, sender: Sender, stub: Stub) -> None:
        stub.answer = (413, {}, "")
        assert isinstance(self.failure(sender), PermanentError)
        assert PushSubscription.objects.exists()

    @pytest.mark.parametrize(
        ("status", "answer", "kind"),
        [
            (403, ("the VAPID credentials in the authorization header do not correspond to the credentials used to create the "
             "subscriptions."), AccountError),  # Google
            (401, '{"code": 401, "errno": 109, "error": "Unauthorized"}', AccountError),  # Mozilla
            (403, '{"reason": "BadJwtToken"}', AccountError),  # Apple
            (400, '{"reason": "BadWebPushTopic"}', PermanentError),
            (400, "UnauthorizedRegistration", PermanentError),
            (429, '{"reason": "TooManyRequests"}', TransientError),
            (502, "<html>Bad gateway</html>", TransientError),
        ],
    )  # fmt: skip
    def test_an_answer_of_a_push_service_keeps_the_browser(
        self, sender: Sender, stub: Stub, status: int, answer: str, kind: type[SendError]
    ) -> None:
        stub.answer = (status, {}, answer)
        failure = self.failure(sender)
        assert type(failure) is kind
        assert not getattr(failure, "address_is_bad", False)
        assert PushSubscription.objects.exists()

    @pytest.mark.parametrize(
        ("contact", "site", "sub"),
        [
            ("you@example.com", "https://crm.example", "mailto:you@example.com"),
            ("", "http://127.0.0.1:8000", "mailto:hello@shop.example"),
            ("", "https://crm.example:8443", "mailto:hello@shop.example"),
        ],
    )
    def test_the_token_names_a_contact(
        self, sender: Sender, stub: Stub, settings: Settings, contact: str, site: str, sub: str
    ) -> None:
        settings.SITE_URL, settings.DEFAULT_FROM_EMAIL = site, "Shop <hello@shop.example>"
        sender.set_setting("contact", contact)
        assert self.our.validate(sender) == {}
        self.send(sender)
        token = stub.requests[0].headers["authorization"].split("t=")[1].split(",")[0]
        assert json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["sub"] == sub

    def test_an_invalid_contact_is_reported(self, sender: Sender) -> None:
        sender.set_setting("contact", "the boss")
        assert set(self.our.validate(sender)) == {"contact"}

    def test_a_browser_with_another_key_gets_no_request(self, sender: Sender, stub: Stub) -> None:
        PushSubscription.objects.update(application_key="another")
        assert isinstance(self.failure(sender), PermanentError)
        assert stub.requests == []

    def test_a_text_over_the_limit_has_a_remark(self) -> None:
        long = self.our.remarks(super().message(text="ä" * 2_000, to_address=""))
        assert long == ["4047 bytes; push services take 3993."]

    def test_an_invalid_key_is_reported(self, sender: Sender) -> None:
        sender.set_setting("private_key", "no key")
        assert set(self.our.validate(sender)) == {"private_key"}
