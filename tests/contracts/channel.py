"""What every provider keeps to, whatever its protocol: inherited by the tests of each.

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
    """A provider with an HTTP API, against a stand-in that takes what the protocol asks for.

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
        return registry.get(self.provider)

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
        """What the provider's protocol asks of a message."""
        raise NotImplementedError

    def test_a_message_reaches_the_provider_as_its_protocol_asks(
        self, sender: Sender, stub: Stub
    ) -> None:
        assert self.send(sender)
        (request,) = stub.requests
        self.check_request(request)

    def test_one_connection_carries_many_messages(self, sender: Sender, stub: Stub) -> None:
        with self.our.connect(sender) as connection:
            for number in range(3):
                connection.send(self.message(key=f"msg_{number}"))
        assert len(stub.requests) == 3

    def test_an_account_that_is_set_up_has_no_problems(self, sender: Sender) -> None:
        assert self.our.validate(sender) == {}

    def test_what_is_missing_is_named(self, sender: Sender) -> None:
        needed = {each.name for each in self.our.settings if each.required}
        sender.settings, sender.credentials = {}, {}
        assert needed <= set(self.our.validate(sender))

    def test_a_channel_that_it_does_not_carry_is_a_problem(self, sender: Sender) -> None:
        other = next(kind for kind in Kind if kind not in self.our.serves)
        sender.channel = other
        assert "provider" in self.our.validate(sender)

    def test_too_many_at_once_is_for_later_and_says_how_much(
        self, sender: Sender, stub: Stub
    ) -> None:
        stub.answer = (429, {"Retry-After": "17"}, "{}")
        error = self.failure(sender)
        assert isinstance(error, TransientError)
        assert error.retry_after == 17

    @pytest.mark.parametrize("status", [500, 503])
    def test_a_provider_in_trouble_is_for_later(
        self, sender: Sender, stub: Stub, status: int
    ) -> None:
        stub.answer = (status, {}, "oh no")
        assert isinstance(self.failure(sender), TransientError)

    @pytest.mark.parametrize("status", [401, 403])
    def test_an_account_that_is_refused_is_no_recipients_fault(
        self, sender: Sender, stub: Stub, status: int
    ) -> None:
        stub.answer = (status, {}, "{}")
        assert isinstance(self.failure(sender), TransientError)

    def test_a_message_that_is_refused_is_never_sent(self, sender: Sender, stub: Stub) -> None:
        stub.answer = self.refused
        assert isinstance(self.failure(sender), PermanentError)

    def test_a_provider_that_cannot_be_reached_is_for_later(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            sender = self.make_sender(f"http://127.0.0.1:{unused.getsockname()[1]}")
            assert isinstance(self.failure(sender), TransientError)

    def test_a_provider_that_hangs_up_may_have_taken_it(self, sender: Sender, stub: Stub) -> None:
        """One that knows a message by its key is simply asked again."""
        stub.answer = lambda handler: handler.connection.close()
        expected = TransientError if self.our.idempotent else UncertainError
        assert isinstance(self.failure(sender), expected)

    def test_it_never_asks_inside_our_own_network(
        self, sender: Sender, stub: Stub, settings: Settings
    ) -> None:
        settings.OUTBOUND_ALLOW_PRIVATE = False
        assert isinstance(self.failure(sender), TransientError)
        assert stub.requests == []

    def test_secrets_are_neither_stored_in_clear_nor_logged(
        self, sender: Sender, stub: Stub
    ) -> None:
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
