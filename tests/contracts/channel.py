"""The contract of every provider, whatever its protocol: the tests of each inherit it.

class TestSms(ChannelContract):
    provider = "twilio"
    ...
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from pytest_django import Settings

from crm.outbound.models import ExternalServiceLog
from customers.models.consent import Channel as Kind
from marketing.channels import registry
from marketing.channels.base import (
    Message,
    PermanentError,
    Provider,
    SendError,
    TransientError,
    UncertainError,
)
from marketing.models import Sender
from tests.factories.marketing import make_sender
from tests.http_stub import Answer, Received, Stub, serving


@pytest.mark.django_db
class ChannelContract:
    """A provider with an HTTP API, against a local server that speaks its protocol.

    `configuration` and `url_setting` say how a sender is set up, `accepted` how the provider answers to a message that it takes, and
    `refused` to one that it never will.
    """

    provider: ClassVar[str]
    channel: ClassVar[str] = Kind.EMAIL
    from_address: ClassVar[str] = "hello@shop.example"
    to_address: ClassVar[str] = "ada@example.com"
    configuration: ClassVar[dict[str, str]] = {}
    url_setting: ClassVar[str] = "api_url"
    accepted: ClassVar[Answer]
    refused: ClassVar[Answer] = (400, {}, "no")

    @pytest.fixture(autouse=True)
    def _to_this_machine(self, settings: Settings) -> None:
        settings.OUTBOUND_ALLOW_PRIVATE = True
        settings.SITE_URL = "https://crm.example"

    @pytest.fixture
    def stub(self) -> Iterator[Stub]:
        with serving() as stub:
            stub.answer = self.accepted
            yield stub

    @pytest.fixture
    def sender(self, stub: Stub) -> Sender:
        return self.make_sender(stub.url)

    @property
    def our(self) -> Provider:
        return registry.get_provider(self.provider)

    def make_sender(self, url: str) -> Sender:
        sender = make_sender(
            provider=self.provider, channel=self.channel, from_address=self.from_address
        )
        for name, value in {**self.our.made_by_itself(), **self.configuration}.items():
            sender.set_setting(name, value)
        if self.url_setting:
            sender.set_setting(self.url_setting, url)
        sender.save()
        return sender

    def message(self, **parts: Any) -> Message:
        given = {
            "key": "msg_abc",
            "to_address": self.to_address,
            "to_name": "Ada Lovelace",
            "from_address": self.from_address,
            "from_name": "The Shop",
            "reply_to": "",
            "subject": "Hello",
            "html": "<p>Hello Ada</p>",
            "text": "Hello Ada",
            "headers": {"List-Unsubscribe": "<https://crm.example/u/1>"}
            if self.channel == Kind.EMAIL
            else {},
            **parts,
        }
        return Message(**given)

    def send(self, sender: Sender, **parts: Any) -> str:
        with self.our.connect(sender) as connection:
            return connection.send(self.message(**parts)).provider_id

    def failure(self, sender: Sender, **parts: Any) -> SendError:
        with pytest.raises(SendError) as caught:
            self.send(sender, **parts)
        return caught.value

    def check_request(self, request: Received) -> None:
        """Assert what the protocol requires of a message."""
        raise NotImplementedError

    def test_a_message_follows_the_protocol(self, sender: Sender, stub: Stub) -> None:
        assert self.send(sender)
        (request,) = stub.requests
        self.check_request(request)

    def test_one_connection_carries_many_messages(self, sender: Sender, stub: Stub) -> None:
        with self.our.connect(sender) as connection:
            for number in range(3):
                connection.send(self.message(key=f"msg_{number}"))
        assert len(stub.requests) == 3

    def test_a_complete_account_has_no_problems(self, sender: Sender) -> None:
        assert self.our.validate(sender) == {}

    def test_a_missing_setting_is_named(self, sender: Sender) -> None:
        needed = {each.name for each in self.our.settings if each.required}
        sender.settings, sender.credentials = {}, {}
        assert needed <= set(self.our.validate(sender))

    def test_an_unsupported_channel_is_a_problem(self, sender: Sender) -> None:
        other = next(kind for kind in Kind if kind not in self.our.serves)
        sender.channel = other
        assert "provider" in self.our.validate(sender)

    def test_a_throttled_message_waits_as_long_as_asked(self, sender: Sender, stub: Stub) -> None:
        stub.answer = (429, {"Retry-After": "17"}, "{}")
        error = self.failure(sender)
        assert isinstance(error, TransientError)
        assert error.retry_after == 17

    @pytest.mark.parametrize("status", [500, 503])
    def test_a_failing_provider_defers_the_message(
        self, sender: Sender, stub: Stub, status: int
    ) -> None:
        stub.answer = (status, {}, "oh no")
        assert isinstance(self.failure(sender), TransientError)

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_account_blames_no_recipient(
        self, sender: Sender, stub: Stub, status: int
    ) -> None:
        stub.answer = (status, {}, "{}")
        assert isinstance(self.failure(sender), TransientError)

    def test_a_refused_message_is_never_sent(self, sender: Sender, stub: Stub) -> None:
        stub.answer = self.refused
        assert isinstance(self.failure(sender), PermanentError)

    def test_an_unreachable_provider_defers_the_message(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            sender = self.make_sender(f"http://127.0.0.1:{unused.getsockname()[1]}")
            assert isinstance(self.failure(sender), TransientError)

    def test_a_lost_connection_leaves_the_message_unconfirmed(
        self, sender: Sender, stub: Stub
    ) -> None:
        """A provider with idempotency keys is asked again."""
        stub.answer = lambda handler: handler.connection.close()
        expected = TransientError if self.our.idempotent else UncertainError
        assert isinstance(self.failure(sender), expected)

    def test_it_never_connects_to_private_addresses(
        self, sender: Sender, stub: Stub, settings: Settings
    ) -> None:
        settings.OUTBOUND_ALLOW_PRIVATE = False
        assert isinstance(self.failure(sender), TransientError)
        assert stub.requests == []

    def test_secrets_are_sealed_and_never_logged(self, sender: Sender, stub: Stub) -> None:
        secrets = [
            sender.setting(each.name)
            for each in self.our.settings
            if each.secret and sender.setting(each.name)
        ]
        stub.answer = (418, {}, f"I know {secrets}")
        error = self.failure(sender)
        sender.refresh_from_db()
        seen = f"{sender.settings} {sender.credentials} {list(ExternalServiceLog.objects.values())}"
        assert ExternalServiceLog.objects.filter(account=sender.public_id, status=418).exists()
        assert not [secret for secret in secrets if secret in seen]
        assert isinstance(error, PermanentError)
