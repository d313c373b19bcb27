"""E-mail providers with an API follow their documented protocol."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from marketing.channels.amazon_ses import signed_headers
from marketing.channels.base import AccountError, PermanentError, UncertainError
from marketing.models import Sender
from tests.contracts.channel import ChannelContract
from tests.http_stub import Received, Stub

KEY = {"message": "msg_abc"}


class TestPostmark(ChannelContract):
    provider = "postmark"
    configuration = {"server_token": "t0ken"}
    accepted = (200, {}, json.dumps({
        "To": "ada@example.com", "SubmittedAt": "2027-01-01T00:00:00Z", "MessageID": "pm-1", "ErrorCode": 0, "Message": "OK",
    }))  # fmt: skip
    refused = (
        422,
        {},
        json.dumps({"ErrorCode": 300, "Message": "Provide either TextBody or HtmlBody."}),
    )

    def check_request(self, request: Received) -> None:
        assert request.path == "/email"
        assert request.headers["X-Postmark-Server-Token"] == "t0ken"
        sent = request.json
        assert sent["To"] == "Ada Lovelace <ada@example.com>"
        assert sent["From"] == "The Shop <hello@shop.example>"
        assert (sent["TextBody"], sent["HtmlBody"]) == ("Hello Ada", "<p>Hello Ada</p>")
        assert sent["Metadata"] == KEY
        assert sent["TrackOpens"] is False
        headers = {each["Name"]: each["Value"] for each in sent["Headers"]}
        assert headers["List-Unsubscribe"] == "<https://crm.example/u/1>"
        assert headers["Message-ID"] == "<msg_abc@shop.example>"

    def test_an_inactive_postmark_recipient_fails_permanently(
        self, sender: Sender, stub: Stub
    ) -> None:
        reason = (
            "You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: ada@example.com."
            " Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a manual suppression."
        )
        stub.answer = (422, {}, json.dumps({"ErrorCode": 406, "Message": reason}))
        failure = self.failure(sender)
        assert isinstance(failure, PermanentError)
        assert not failure.address_is_bad

    @pytest.mark.parametrize(
        ("status", "code", "text"),
        [
            (422, 300, "Invalid 'From' address: 'x'."),
            (422, 400, "The 'From' address you supplied is not a Sender Signature on your account."),
            (422, 405, "You ran out of credits."),
            (422, 412, "While your account is pending approval, all recipient addresses must share the domain of 'From'."),
        ],
    )  # fmt: skip
    def test_a_refused_sender_is_a_fault_of_the_account(
        self, sender: Sender, stub: Stub, status: int, code: int, text: str
    ) -> None:
        stub.answer = (status, {}, json.dumps({"ErrorCode": code, "Message": text}))
        assert isinstance(self.failure(sender), AccountError)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"from_address": "Shop <hello@shop.example>"},
            {"reply_to": "no address"},
            {"reply_to": "x, y"},
        ],
    )
    def test_a_malformed_sender_blames_no_recipient(
        self, sender: Sender, stub: Stub, wrong: dict[str, str]
    ) -> None:
        assert isinstance(self.failure(sender, **wrong), AccountError)

    def test_an_unreadable_response_is_uncertain(self, sender: Sender, stub: Stub) -> None:
        stub.answer = (200, {}, "<html>")
        assert isinstance(self.failure(sender), UncertainError)

    @pytest.mark.parametrize("address", ["no address", "a@b@c"])
    def test_an_invalid_address_sends_no_request(
        self, sender: Sender, stub: Stub, address: str
    ) -> None:
        assert isinstance(self.failure(sender, to_address=address), PermanentError)
        assert stub.requests == []

    @pytest.mark.parametrize("name", ["Ada\r\nBcc: all@example.com", 'Ada "x" <x@y.z>', "李雷"])
    def test_a_name_cannot_add_recipients(self, sender: Sender, stub: Stub, name: str) -> None:
        self.send(sender, to_name=name)
        sent = stub.requests[0].json
        assert sent["To"].endswith("<ada@example.com>")
        assert not sent.get("Bcc")


class TestMailgun(ChannelContract):
    provider = "mailgun"
    configuration = {
        "api_key": "s3cret-k3y",
        "sender_domain": "shop.example",
        "webhook_signing_key": "signing-s3cret",
    }
    accepted = (200, {}, json.dumps({"id": "<mg-1@shop.example>", "message": "Queued. Thank you."}))

    def check_request(self, request: Received) -> None:
        assert request.path == "/shop.example/messages"
        assert request.headers["Authorization"] == (
            "Basic " + base64.b64encode(b"api:s3cret-k3y").decode()
        )
        body = request.body.decode()
        assert "msg_abc" in body
        assert "signing-s3cret" not in body


class TestSendGrid(ChannelContract):
    provider = "sendgrid"
    configuration = {"api_key": "s3cret-k3y"}
    accepted = (202, {"X-Message-Id": "sg-1"}, "")

    def check_request(self, request: Received) -> None:
        assert request.path == "/mail/send"
        assert request.headers["Authorization"] == "Bearer s3cret-k3y"
        sent = request.json
        assert sent["custom_args"]["message"] == "msg_abc"
        assert sent["tracking_settings"]["open_tracking"]["enable"] is False


class TestBrevo(ChannelContract):
    provider = "brevo"
    configuration = {"api_key": "s3cret-k3y"}
    accepted = (201, {}, json.dumps({"messageId": "<br-1@smtp>"}))

    def check_request(self, request: Received) -> None:
        assert request.path == "/smtp/email"
        assert request.headers["api-key"] == "s3cret-k3y"
        assert json.loads(request.json["headers"]["X-Mailin-custom"]) == KEY


class TestMailjet(ChannelContract):
    provider = "mailjet"
    configuration = {"api_key": "s3cret-k3y", "secret_key": "s3cret"}
    accepted = (200, {}, json.dumps({
        "Messages": [{"Status": "success", "To": [{"Email": "ada@example.com", "MessageID": 70650219165027410}]}]
    }))  # fmt: skip

    def check_request(self, request: Received) -> None:
        assert request.path == "/send"
        sent = request.json.get("Globals", {}) | request.json["Messages"][0]
        assert json.loads(sent["EventPayload"]) == KEY


class TestMailerSend(ChannelContract):
    provider = "mailersend"
    configuration = {"api_token": "s3cret-k3y"}
    accepted = (202, {"X-Message-Id": "ms-1", "Content-Type": "text/html"}, "")

    def check_request(self, request: Received) -> None:
        assert request.path == "/email"
        assert request.headers["Authorization"] == "Bearer s3cret-k3y"

    def test_a_message_follows_the_protocol(self, sender: Sender, stub: Stub) -> None:
        """MailerSend takes no metadata; its own id names the message."""
        assert self.send(sender) == "ms-1"
        self.check_request(stub.requests[0])


class TestResend(ChannelContract):
    provider = "resend"
    configuration = {"api_key": "s3cret-k3y"}
    accepted = (200, {}, json.dumps({"id": "re-1"}))

    def check_request(self, request: Received) -> None:
        assert request.path == "/emails"
        assert request.headers["Authorization"] == "Bearer s3cret-k3y"


class TestSparkPost(ChannelContract):
    provider = "sparkpost"
    configuration = {"api_key": "s3cret-k3y"}
    accepted = (200, {}, json.dumps({
        "results": {"id": "sp-1", "total_accepted_recipients": 1, "total_rejected_recipients": 0}
    }))  # fmt: skip

    def check_request(self, request: Received) -> None:
        assert request.path == "/transmissions/"
        assert request.headers["Authorization"] == "s3cret-k3y"
        assert request.json["metadata"] == KEY
        assert request.json["options"]["open_tracking"] is False


class TestMandrill(ChannelContract):
    provider = "mandrill"
    configuration = {"api_key": "s3cret-k3y", "webhook_key": "w3bhook"}
    accepted = (200, {}, json.dumps([
        {"email": "ada@example.com", "status": "sent", "_id": "md-1", "reject_reason": None}
    ]))  # fmt: skip

    def check_request(self, request: Received) -> None:
        assert request.path == "/messages/send.json"
        sent = request.json
        assert sent["key"] == "s3cret-k3y"
        assert sent["message"]["metadata"] == KEY
        assert sent["message"]["track_opens"] is False
        assert b"w3bhook" not in request.body

    def test_a_rejected_recipient_fails_permanently(self, sender: Sender, stub: Stub) -> None:
        rejected = {"email": "ada@example.com", "status": "rejected", "reject_reason": "unsub"}
        stub.answer = (200, {}, json.dumps([rejected]))
        failure = self.failure(sender)
        assert isinstance(failure, PermanentError)
        assert not failure.address_is_bad


class TestMailtrap(ChannelContract):
    provider = "mailtrap"
    configuration = {"api_token": "t0ken", "tracking_secret": "s3cret"}
    accepted = (200, {}, json.dumps({"success": True, "message_ids": ["mt-1"]}))

    def check_request(self, request: Received) -> None:
        assert request.path == "/send"
        assert request.headers["Api-Token"] == "t0ken"
        assert request.json["custom_variables"] == KEY


class TestPostal(ChannelContract):
    provider = "postal"
    configuration = {"api_key": "s3cret-k3y", "webhook_key": "MIIBIjANBgkqhkiG9w0"}
    accepted = (200, {}, json.dumps({
        "status": "success", "time": 0.02, "flags": {},
        "data": {"message_id": "msg_abc@shop.example", "messages": {"ada@example.com": {"id": 4471, "token": "x"}}},
    }))  # fmt: skip

    def check_request(self, request: Received) -> None:
        assert request.path == "/api/v1/send/message"
        assert request.headers["X-Server-API-Key"] == "s3cret-k3y"
        assert request.json["headers"]["Message-ID"] == "<msg_abc@shop.example>"


class TestAmazonSes(ChannelContract):
    provider = "amazon_ses"
    configuration = {
        "region": "eu-central-1", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "s3cret", "configuration_set": "crm",
        "topic_arn": "arn:aws:sns:eu-central-1:123456789012:ses",
    }  # fmt: skip
    accepted = (200, {}, json.dumps({"MessageId": "010701-0000"}))
    refused = (
        400,
        {"x-amzn-ErrorType": "MessageRejected"},
        '{"message": "Email content is not valid."}',
    )

    def check_request(self, request: Received) -> None:
        assert request.path == "/v2/email/outbound-emails"
        authorization = request.headers["authorization"]
        assert authorization.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        assert "/eu-central-1/ses/aws4_request" in authorization
        assert "SignedHeaders=content-type;host;x-amz-date" in authorization
        sent = request.json
        assert sent["Destination"] == {"ToAddresses": ["ada@example.com"]}
        assert sent["EmailTags"] == [{"Name": "message", "Value": "msg_abc"}]
        assert sent["ConfigurationSetName"] == "crm"
        mime = base64.b64decode(sent["Content"]["Raw"]["Data"])
        assert b"Message-ID: <msg_abc@shop.example>" in mime
        assert b"List-Unsubscribe: <https://crm.example/u/1>" in mime

    def test_an_unverified_sender_is_a_fault_of_the_account(
        self, sender: Sender, stub: Stub
    ) -> None:
        reason = (
            "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1:"
            " hello@shop.example"
        )
        stub.answer = (400, {"x-amzn-ErrorType": "MessageRejected"}, json.dumps({"message": reason}))  # fmt: skip
        assert isinstance(self.failure(sender), AccountError)

    def test_a_wrong_region_or_topic_is_a_problem(self, sender: Sender) -> None:
        sender.set_setting("region", "Frankfurt")
        sender.set_setting("topic_arn", "ses")
        assert {"region", "topic_arn"} <= set(self.our.validate(sender))

    def test_a_request_is_signed_as_amazon_documents(self) -> None:
        """https://docs.aws.amazon.com/general/latest/gr/sigv4-create-canonical-request.html"""
        headers = signed_headers(
            "GET",
            "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
            b"",
            {"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
            region="us-east-1",
            service="iam",
            access_key="AKIDEXAMPLE",
            secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            at=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
        )
        expected = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        assert headers["authorization"].endswith(f"Signature={expected}")
