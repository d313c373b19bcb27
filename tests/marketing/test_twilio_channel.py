"""The Twilio provider sends SMS and WhatsApp messages."""

from __future__ import annotations

import base64
import json

import pytest

from customers.models.consent import Channel as Kind
from marketing.campaigns import moves
from marketing.campaigns.states import NotReady
from marketing.channels import sms
from marketing.channels.base import AccountError, PermanentError, TransientError
from marketing.channels.receipts import ReceiptKind as Receipts
from marketing.models import Sender
from tests.contracts.channel import ChannelContract
from tests.factories.marketing import make_campaign, make_template
from tests.http_stub import Received, Stub

ACCEPTED = json.dumps({"sid": "SM123", "status": "queued"})


def error(code: int, status: int = 400) -> tuple[int, dict[str, str], str]:
    return status, {}, json.dumps({"code": code, "message": "said Twilio", "status": status})


class TestSms(ChannelContract):
    provider = "twilio"
    channel = Kind.SMS
    from_address = "+15005550006"
    to_address = "+4915112345678"
    configuration = {"account_sid": "AC1", "auth_token": "t0ken"}
    accepted = (201, {}, ACCEPTED)
    refused = error(21617)

    def check_request(self, request: Received) -> None:
        assert request.path == "/2010-04-01/Accounts/AC1/Messages.json"
        assert request.headers["Authorization"] == (
            "Basic " + base64.b64encode(b"AC1:t0ken").decode()
        )
        assert request.form["To"] == "+4915112345678"
        assert request.form["From"] == "+15005550006"
        assert request.form["Body"] == "Hello Ada"
        callback = request.form["StatusCallback"]
        assert callback.startswith("https://crm.example/hooks/twilio/snd_")
        assert callback.endswith("/?message=msg_abc")

    def test_send_returns_the_message_sid(self, sender: Sender) -> None:
        assert self.send(sender) == "SM123"

    def test_a_messaging_service_replaces_the_number(self, sender: Sender, stub: Stub) -> None:
        self.send(sender, from_address="MG77")
        assert stub.requests[0].form["MessagingServiceSid"] == "MG77"
        assert "From" not in stub.requests[0].form

    @pytest.mark.parametrize("code", [21211, 21614])
    def test_an_invalid_number_blames_the_address(
        self, sender: Sender, stub: Stub, code: int
    ) -> None:
        stub.answer = error(code)
        failure = self.failure(sender)
        assert isinstance(failure, PermanentError)
        assert failure.address_is_bad
        assert str(code) in str(failure)

    @pytest.mark.parametrize("code", [20003, 21212, 21606, 21608, 63007, 63016])
    def test_an_account_without_rights_blames_no_recipient(
        self, sender: Sender, stub: Stub, code: int
    ) -> None:
        stub.answer = error(code)
        assert isinstance(self.failure(sender), AccountError)

    @pytest.mark.parametrize("address", ["030 123456", "Kindling Shop & Co.", "", "+49"])
    def test_a_malformed_sender_is_a_problem(self, sender: Sender, address: str) -> None:
        sender.from_address = address
        assert "from_address" in self.our.validate(sender)

    def test_an_opted_out_recipient_does_not_blame_the_address(
        self, sender: Sender, stub: Stub
    ) -> None:
        stub.answer = error(21610)
        failure = self.failure(sender)
        assert isinstance(failure, PermanentError)
        assert not failure.address_is_bad
        assert failure.kind == Receipts.UNSUBSCRIBED

    def test_a_twilio_rate_limit_is_transient(self, sender: Sender, stub: Stub) -> None:
        stub.answer = error(20429, 429)
        assert isinstance(self.failure(sender), TransientError)

    def test_a_private_site_sends_no_callback_url(
        self, sender: Sender, stub: Stub, settings: object
    ) -> None:
        settings.SITE_URL = "http://127.0.0.1:8000"  # type: ignore[attr-defined]
        self.send(sender)
        assert "StatusCallback" not in stub.requests[0].form

    def test_a_text_over_the_limit_has_a_remark(self) -> None:
        assert self.our.remarks(self.message()) == []
        assert self.our.remarks(self.message(text="x" * 1601)) == [
            "1601 characters; Twilio takes 1600."
        ]


class TestWhatsApp(TestSms):
    channel = Kind.WHATSAPP
    configuration = {"account_sid": "AC1", "auth_token": "t0ken", "content_sid": "HX1"}

    def test_a_message_is_sent_as_a_template(self, sender: Sender, stub: Stub) -> None:
        self.send(sender, text="Hi Ann,\n\tsale!")
        sent = stub.requests[0].form
        assert (sent["ContentSid"], sent.get("Body")) == ("HX1", None)
        assert json.loads(sent["ContentVariables"]) == {"1": "Hi Ann, sale!"}

    def test_a_campaign_without_a_template_does_not_start(self, sender: Sender) -> None:
        sender.set_setting("content_sid", "")
        sender.save()
        assert "content_sid" in self.our.validate(sender)
        campaign = make_campaign(
            channel="whatsapp",
            sender=sender,
            template=make_template(channel="whatsapp", body="Hi {first_name}, sale!"),
        )
        with pytest.raises(NotReady, match="template"):
            moves.launch(campaign)

    def check_request(self, request: Received) -> None:
        assert request.form["To"] == "whatsapp:+4915112345678"
        assert request.form["From"] == "whatsapp:+15005550006"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),  # no escape is cut off from its character
        ("Grüße", "GSM-7", 5, 1),
        ("ç", "UCS-2", 1, 1),
        ("я" * 70, "UCS-2", 70, 1),
        ("я" * 71, "UCS-2", 71, 2),
        ("👋" * 35, "UCS-2", 70, 1),
        ("👋" * 67, "UCS-2", 134, 3),  # no pair is cut in two: 33 go into a part of 67
    ],
)
def test_sms_segments_match_the_standard(
    text: str, encoding: str, units: int, segments: int
) -> None:
    length = sms.measure_sms(text)
    assert (length.encoding, length.units, length.segments) == (encoding, units, segments)
