"""The Mastodon provider publishes posts."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models.consent import Channel as Kind
from marketing.channels.base import TransientError
from marketing.models import Sender
from tests.contracts.channel import ChannelContract
from tests.http_stub import Received, Stub


class TestMastodon(ChannelContract):
    provider = "mastodon"
    channel = Kind.SOCIAL
    to_address = ""
    from_address = ""
    url_setting = "url"
    configuration = {"token": "t0ken"}
    accepted = (200, {}, json.dumps({"id": "42", "url": "https://social.example/@shop/42"}))
    refused = (422, {}, json.dumps({"error": "Validation failed: Text character limit exceeded"}))

    def check_request(self, request: Received) -> None:
        assert (request.method, request.path) == ("POST", "/api/v1/statuses")
        assert request.headers["Authorization"] == "Bearer t0ken"
        assert request.headers["Idempotency-Key"] == "msg_abc"
        assert request.form == {"status": "Hello Ada", "visibility": "public"}

    def test_the_receipt_has_the_url_of_the_post(self, sender: Sender) -> None:
        with self.our.connect(sender) as connection:
            receipt = connection.send(self.message())
        assert (receipt.provider_id, receipt.url) == ("42", "https://social.example/@shop/42")

    def test_a_rate_limit_waits_until_its_reset(self, sender: Sender, stub: Stub) -> None:
        """https://docs.joinmastodon.org/api/rate-limits/"""
        reset = timezone.now() + timedelta(minutes=4)
        stub.answer = (429, {"X-RateLimit-Reset": reset.isoformat().replace("+00:00", "Z")}, "{}")
        error = self.failure(sender)
        assert isinstance(error, TransientError)
        assert error.retry_after == pytest.approx(240, abs=20)

    def test_a_foreign_response_is_reported(self, sender: Sender, stub: Stub) -> None:
        stub.answer = (200, {}, "<html>")
        assert "not Mastodon's" in str(self.failure(sender))

    def test_an_unknown_visibility_is_invalid(self, sender: Sender) -> None:
        sender.set_setting("visibility", "everybody")
        assert set(self.our.validate(sender)) == {"visibility"}

    def test_links_count_with_mastodons_fixed_length(self) -> None:
        link = "https://crm.example/t/c/" + "x" * 600
        assert self.our.remarks(self.message(text=f"Look {link}")) == []
        assert self.our.remarks(self.message(text="x" * 501))
