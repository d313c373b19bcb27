"""The webhook provider posts signed messages to a server."""

from __future__ import annotations

import base64
import hashlib
import hmac

from customers.models.consent import Channel as Kind
from marketing.models import Sender
from tests.contracts.channel import ChannelContract
from tests.http_stub import Received, Stub


class TestWebhook(ChannelContract):
    provider = "webhook"
    channel = Kind.WEBHOOK
    to_address = "customer-7"
    from_address = ""
    url_setting = "url"
    accepted = (204, {}, "")

    def check_request(self, request: Received) -> None:
        assert request.headers["Idempotency-Key"] == request.headers["webhook-id"] == "msg_abc"
        assert request.json == {
            "id": "msg_abc",
            "to": {"address": "customer-7", "name": "Ada Lovelace"},
            "from": {"address": "", "name": "The Shop"},
            "subject": "Hello",
            "text": "Hello Ada",
            "link": "",
            "data": None,
        }

    def test_the_receiver_can_verify_the_signature(self, sender: Sender, stub: Stub) -> None:
        self.send(sender)
        (request,) = stub.requests
        key = base64.b64decode(sender.setting("secret").removeprefix("whsec_"))
        signed = f"msg_abc.{request.headers['webhook-timestamp']}.".encode() + request.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert request.headers["webhook-signature"] == f"v1,{expected}"

    def test_json_text_is_also_sent_as_data(self, sender: Sender, stub: Stub) -> None:
        self.send(sender, text='{"points": 7}')
        assert stub.requests[0].json["data"] == {"points": 7}
