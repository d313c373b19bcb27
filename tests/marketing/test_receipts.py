"""Signed provider webhooks update messages once, in any order."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from crm.api import ids
from customers import consent
from customers.models import Consent, Interaction, ServiceInteraction, Suppression
from customers.models.consent import Channel
from customers.privacy import retention
from marketing.models import CampaignExecution, ProviderEvent, Sender
from marketing.tracking import receipts
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run, make_sender

pytestmark = pytest.mark.django_db

BASIC = "Basic " + base64.b64encode(b"kindling:s3cret").decode()
KEY = ec.generate_private_key(ec.SECP256R1())


def message_of(provider: str, channel: str = Channel.EMAIL, **settings: str) -> CampaignExecution:
    """Create a message sent by a sender of this provider."""
    sender = make_sender(provider=provider, channel=channel)
    for name, value in settings.items():
        sender.set_setting(name, value)
    sender.save()
    run = make_run(make_campaign(sender=sender, channel=channel))
    customer = make_customer(email="ada@example.com", phone="+4915112345678")
    return make_execution(
        run,
        customer,
        address=customer.email if channel == Channel.EMAIL else customer.phone,
        state="sent",
        attempts=1,
        provider_id="p-1",
        sending_at=timezone.now() - timedelta(minutes=5),
        sent_at=timezone.now() - timedelta(minutes=5),
    )


def key(execution: CampaignExecution) -> str:
    return ids.encode("msg", execution.pk)


def kinds() -> list[str]:
    return list(ProviderEvent.objects.order_by("pk").values_list("kind", flat=True))


# Postmark ------------------------------------------------------------------------------------------------------------------------


def bounce(execution: CampaignExecution, kind: str = "HardBounce", **parts: Any) -> dict[str, Any]:
    """https://postmarkapp.com/developer/webhooks/bounce-webhook"""
    return {
        "RecordType": "Bounce", "ID": 4323372036854775807, "Type": kind, "TypeCode": 1, "Name": "Hard bounce", "Tag": "",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "ServerID": 23, "Metadata": {"message": key(execution)},
        "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.", "Email": "ada@example.com",
        "From": "hello@shop.example", "BouncedAt": "2026-11-05T16:33:54.9070259Z", "DumpAvailable": True, "Inactive": True,
        "CanActivate": True, "Subject": "Hello", "MessageStream": "outbound", **parts,
    }  # fmt: skip


def delivery(execution: CampaignExecution, **parts: Any) -> dict[str, Any]:
    """https://postmarkapp.com/developer/webhooks/delivery-webhook"""
    return {
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Recipient": "ada@example.com", "ServerID": 23,
        "DeliveredAt": "2026-11-05T16:33:54.9070259Z", "Details": "Test delivery webhook details", "RecordType": "Delivery",
        "Metadata": {"message": key(execution)}, "MessageStream": "outbound", **parts,
    }  # fmt: skip


def post_postmark(body: Any, *, auth: str = BASIC, sender: Sender | None = None) -> HttpResponse:
    path = f"/hooks/postmark/{sender.public_id}" if sender else "/hooks/postmark"
    return Client().post(
        path, body, content_type="application/json", headers={"Authorization": auth}
    )


@pytest.fixture
def sent() -> CampaignExecution:
    return message_of("postmark", webhook_secret="kindling:s3cret", server_token="t")


def test_a_repeated_delivery_is_recorded_once(sent: CampaignExecution) -> None:
    for _ in range(3):
        assert post_postmark(delivery(sent)).status_code == 200
    sent.refresh_from_db()
    assert sent.state == "delivered"
    assert sent.delivered_at is not None
    assert Interaction.objects.filter(type="message_delivered").count() == 1
    assert kinds() == ["delivered"]


@pytest.mark.parametrize("auth", ["", "Basic eDp5", "Bearer x"])
def test_an_unsigned_request_is_refused(sent: CampaignExecution, auth: str) -> None:
    assert post_postmark(delivery(sent), auth=auth).status_code == 403
    assert not ProviderEvent.objects.exists()


def test_a_sender_without_secret_refuses_receipts(sent: CampaignExecution) -> None:
    sender = sent.run.sender
    sender.set_setting("webhook_secret", "")
    sender.save()
    assert post_postmark(delivery(sent), auth="").status_code == 403


def test_a_sender_url_accepts_only_its_own_secret(sent: CampaignExecution) -> None:
    other = make_sender(provider="postmark")
    other.set_setting("webhook_secret", "other:secret")
    other.save()
    assert post_postmark(delivery(sent), sender=other).status_code == 403
    assert post_postmark(delivery(sent), sender=sent.run.sender).status_code == 200


def test_a_hard_bounce_suppresses_the_address(sent: CampaignExecution) -> None:
    post_postmark(bounce(sent))
    sent.refresh_from_db()
    assert (sent.state, sent.error_kind) == ("bounced", "hard_bounce")
    assert "5.1.1" in sent.error
    assert Suppression.objects.get().reason == "hard_bounce"


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ({"Type": "SoftBounce", "Details": "smtp;452 4.2.2 mailbox full"}, "soft_bounce"),
        ({"Type": "HardBounce", "Details": "smtp;552 5.2.2 mailbox full"}, "soft_bounce"),
        ({"Type": "Blocked", "Details": "smtp;554 5.7.1 looks like spam"}, "blocked"),
        ({"Type": "HardBounce", "Details": "smtp;550 5.7.26 unauthenticated"}, "blocked"),
    ],
)
def test_soft_bounces_and_blocks_suppress_no_address(
    sent: CampaignExecution, parts: dict[str, str], kind: str
) -> None:
    post_postmark(bounce(sent, **parts))
    sent.refresh_from_db()
    assert (sent.state, sent.error_kind) == ("bounced", kind)
    assert not Suppression.objects.exists()


def test_a_delivery_replaces_an_earlier_soft_bounce(sent: CampaignExecution) -> None:
    post_postmark(bounce(sent, "SoftBounce", Details="4.2.2"))
    post_postmark(delivery(sent, DeliveredAt="2026-11-05T17:00:00Z"))
    sent.refresh_from_db()
    assert (sent.state, sent.error_kind) == ("delivered", "")


def test_a_late_soft_bounce_keeps_the_delivery(
    sent: CampaignExecution,
) -> None:
    post_postmark(delivery(sent, DeliveredAt="2026-11-05T17:00:00Z"))
    post_postmark(bounce(sent, "SoftBounce", Details="4.2.2"))
    sent.refresh_from_db()
    assert sent.state == "delivered"


def test_a_complaint_suppresses_the_address(sent: CampaignExecution) -> None:
    post_postmark(bounce(sent, "SpamComplaint", RecordType="SpamComplaint"))
    sent.refresh_from_db()
    assert sent.state == "complained"
    assert sent.complained_at is not None
    assert Suppression.objects.get().reason == "complaint"


@pytest.mark.parametrize("state", ["unconfirmed", "sending", "retry"])
def test_a_receipt_resolves_an_unconfirmed_message(sent: CampaignExecution, state: str) -> None:
    lease = "00000000-0000-0000-0000-000000000001"
    CampaignExecution.objects.update(state=state, sent_at=None, lease=lease)
    post_postmark(delivery(sent))
    sent.refresh_from_db()
    assert sent.state == "delivered"
    assert sent.sent_at == sent.sending_at
    assert sent.lease is None
    events = list(Interaction.objects.order_by("pk").values_list("type", flat=True))
    assert events == ["message_sent", "message_delivered"]


def test_an_early_receipt_waits_for_its_message(sent: CampaignExecution) -> None:
    post_postmark(delivery(sent, Metadata={}, MessageID="not-noted-yet"))
    sent.refresh_from_db()
    assert sent.state == "sent"
    CampaignExecution.objects.update(provider_id="not-noted-yet")
    assert receipts.match_late() == 1
    assert receipts.match_late() == 0
    sent.refresh_from_db()
    assert sent.state == "delivered"


def test_receipts_are_deleted_after_their_retention(sent: CampaignExecution) -> None:
    post_postmark(delivery(sent))
    retention.apply(timezone.now() + timedelta(days=89))
    assert ProviderEvent.objects.exists()
    retention.apply(timezone.now() + timedelta(days=91))
    assert not ProviderEvent.objects.exists()


def test_a_sender_cannot_report_on_messages_of_another(sent: CampaignExecution) -> None:
    other = make_sender(provider="postmark")
    other.set_setting("webhook_secret", "other:secret")
    other.save()
    theirs = "Basic " + base64.b64encode(b"other:secret").decode()
    assert post_postmark(bounce(sent), auth=theirs).status_code == 200
    sent.refresh_from_db()
    assert sent.state == "sent"


def test_an_unknown_receipt_kind_changes_nothing(sent: CampaignExecution) -> None:
    assert post_postmark(bounce(sent, RecordType="Teleported")).status_code == 200
    assert kinds() == ["unknown"]
    sent.refresh_from_db()
    assert sent.state == "sent"


@pytest.mark.parametrize("body", ["", "[", "[]", "null", "{}", '{"RecordType": []}', "7", '"x"'])
def test_an_unreadable_receipt_causes_no_server_error(sent: CampaignExecution, body: str) -> None:
    response = Client().post(
        "/hooks/postmark",
        body,
        content_type="application/json",
        headers={"Authorization": BASIC},
    )
    assert response.status_code in {200, 400}


def test_providers_without_receipts_are_not_found() -> None:
    for path in ("/hooks/smtp", "/hooks/nobody", "/hooks/mastodon/snd_x"):
        assert Client().post(path).status_code == 404
    assert Client().get("/hooks/postmark").status_code == 200


# others --------------------------------------------------------------------------------------------------------------------------


def test_a_mailgun_signature_is_verified() -> None:
    """https://documentation.mailgun.com/docs/mailgun/user-manual/events/webhook-payloads"""
    execution = message_of("mailgun", api_key="k", webhook_signing_key="s1")
    stamp, token = "1529006854", "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0"
    signature = hmac.new(b"s1", f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    body = {
        "signature": {"timestamp": stamp, "token": token, "signature": signature},
        "event-data": {
            "event": "failed", "severity": "permanent", "reason": "suppress-bounce", "id": "G9Bn5sl1TC6nu79C8C0bwg",
            "timestamp": 1529006854.329574, "recipient": "ada@example.com", "log-level": "error", "tags": [],
            "user-variables": {"message": key(execution)},
            "delivery-status": {"code": 605, "message": "", "description": "Not delivering to previously bounced address"},
            "message": {"headers": {"message-id": "20130503192659.13651.20287@mg.shop.example", "to": "ada@example.com"}},
        },
    }  # fmt: skip
    post = lambda: Client().post("/hooks/mailgun", body, content_type="application/json")  # noqa: E731
    assert post().status_code == 200
    execution.refresh_from_db()
    assert (execution.state, execution.error_kind) == ("bounced", "hard_bounce")

    body["signature"]["signature"] = "0" * 64
    assert post().status_code == 403


def test_a_sendgrid_signature_is_verified() -> None:
    """https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event"""
    public = KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    verification = base64.b64encode(public).decode()
    execution = message_of("sendgrid", api_key="k", tracking_webhook_verification_key=verification)
    common = {
        "email": "ada@example.com", "timestamp": 1513299569, "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "sg_message_id": "p-1.filter0001.16648.5515E0B88.0", "message": key(execution),
    }  # fmt: skip
    events = [
        {**common, "event": "processed", "sg_event_id": "a"},
        {**common, "event": "delivered", "sg_event_id": "b", "response": "250 OK"},
        {**common, "event": "open", "sg_event_id": "c", "useragent": "Mozilla/4.0 (compatible; MSIE 6.1)", "sg_machine_open": False},
        {**common, "event": "open", "sg_event_id": "d", "useragent": "Mozilla/5.0", "timestamp": 1513299570},
        {**common, "event": "click", "sg_event_id": "e", "url": "https://shop.example/", "useragent": "Firefox", "timestamp": 1513299575},
    ]  # fmt: skip
    body = json.dumps(events)
    signed = KEY.sign(b"1600112502" + body.encode(), ec.ECDSA(hashes.SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signed).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": "1600112502",
    }

    def post(body: str) -> int:
        return Client().post("/hooks/sendgrid", body, content_type="application/json", headers=headers).status_code  # fmt: skip

    assert post(body) == 200
    assert post(body) == 200
    events = list(Interaction.objects.order_by("pk").values_list("type", flat=True))
    assert events == [
        "message_delivered",
        "message_opened",
        "message_opened_by_machine",
        "message_clicked",
    ]
    assert post(body.replace("delivered", "bounce")) == 403


def post_twilio(
    settings: Settings,
    execution: CampaignExecution,
    *,
    token: str = "t0ken",
    query: str = "",
    **form: str,
) -> int:
    """https://www.twilio.com/docs/messaging/guides/track-outbound-message-status"""
    settings.SITE_URL = "https://crm.example"
    path = f"/hooks/twilio/{execution.run.sender.public_id}/{query}"
    signature = RequestValidator(token).compute_signature(f"https://crm.example{path}", form)
    headers = {"X-Twilio-Signature": signature}
    return Client().post(path, form, headers=headers).status_code


def status(execution: CampaignExecution, message_status: str, **parts: str) -> dict[str, str]:
    return {
        "SmsSid": "SM2xxxxxx", "SmsStatus": message_status, "MessageStatus": message_status, "To": "+4915112345678",
        "MessageSid": "SM2xxxxxx", "AccountSid": "ACxxxxxx", "From": "+15005550006", "ApiVersion": "2010-04-01", **parts,
    }  # fmt: skip


@pytest.fixture
def text(settings: Settings) -> CampaignExecution:
    return message_of("twilio", Channel.SMS, account_sid="AC", auth_token="t0ken")


def test_a_twilio_delivery_is_recorded_once(settings: Settings, text: CampaignExecution) -> None:
    query = f"?message={key(text)}"
    for state in ("sent", "delivered", "delivered", "sent"):
        assert post_twilio(settings, text, query=query, **status(text, state)) == 200
    text.refresh_from_db()
    assert text.state == "delivered"
    assert kinds() == ["delivered"]


@pytest.mark.parametrize(
    ("code", "kind", "suppressed"),
    [
        ("30003", "soft_bounce", False),
        ("30005", "hard_bounce", True),
        ("30007", "blocked", False),
        ("30008", "soft_bounce", False),
    ],
)
def test_twilio_codes_map_to_bounce_kinds(
    settings: Settings, text: CampaignExecution, code: str, kind: str, suppressed: bool
) -> None:
    form = status(text, "undelivered", ErrorCode=code)
    assert post_twilio(settings, text, query=f"?message={key(text)}", **form) == 200
    text.refresh_from_db()
    assert (text.state, text.error_kind) == ("bounced", kind)
    assert Suppression.objects.filter(channel="sms").exists() is suppressed


def test_a_failed_twilio_status_fails_the_message(
    settings: Settings, text: CampaignExecution
) -> None:
    CampaignExecution.objects.update(provider_id="SM2xxxxxx")
    assert post_twilio(settings, text, **status(text, "failed", ErrorCode="30034")) == 200
    text.refresh_from_db()
    assert (text.state, text.error) == ("failed", "failed 30034")


def test_a_signature_with_another_token_is_refused(
    settings: Settings, text: CampaignExecution
) -> None:
    assert post_twilio(settings, text, token="other", **status(text, "delivered")) == 403


def test_a_stop_reply_opts_the_customer_out(settings: Settings, text: CampaignExecution) -> None:
    """https://help.twilio.com/articles/360034798533 (OptOutType)"""
    form = {
        "MessageSid": "SM9", "From": "+4915112345678", "To": "+15005550006", "Body": "STOP", "OptOutType": "STOP",
    }  # fmt: skip
    assert post_twilio(settings, text, **form) == 200
    assert post_twilio(settings, text, **form) == 200
    decision = Consent.objects.get()
    assert (decision.channel, decision.decision) == ("sms", "opted_out")


def reply(body: str, **parts: str) -> dict[str, str]:
    """https://www.twilio.com/docs/messaging/guides/webhook-request"""
    return {
        "ToCountry": "US", "SmsMessageSid": "SM9", "NumMedia": "0", "SmsSid": "SM9", "SmsStatus": "received", "Body": body,
        "To": "+15005550006", "NumSegments": "1", "MessageSid": "SM9", "AccountSid": "ACxxxxxx", "From": "+4915112345678",
        "ApiVersion": "2010-04-01", **parts,
    }  # fmt: skip


@pytest.mark.parametrize("body", ["STOP", " stop ", "Unsubscribe", "STOPALL", "Quit"])
def test_twilio_stop_keywords_opt_the_customer_out(
    settings: Settings, text: CampaignExecution, body: str
) -> None:
    assert post_twilio(settings, text, **reply(body)) == 200
    assert Consent.objects.get().decision == "opted_out"


def test_a_start_reply_after_stop_opts_back_in(settings: Settings, text: CampaignExecution) -> None:
    for body, sid in [("STOP", "SM1"), ("Start", "SM2")]:
        assert post_twilio(settings, text, **reply(body, MessageSid=sid)) == 200
    text.customer.refresh_from_db()
    assert text.customer.opted_out_channels == []
    assert kinds() == ["unsubscribed", "subscribed"]


def test_a_yes_without_an_opt_out_changes_nothing(
    settings: Settings, text: CampaignExecution
) -> None:
    assert post_twilio(settings, text, **reply("Yes")) == 200
    assert not Consent.objects.exists()


@pytest.mark.parametrize("body", ["Weekend?", "When do you open?", ""])
def test_other_replies_are_ignored(settings: Settings, text: CampaignExecution, body: str) -> None:
    assert post_twilio(settings, text, **reply(body)) == 200
    assert kinds() == []


def test_an_unclear_reply_is_a_ticket_for_a_user(
    settings: Settings, text: CampaignExecution
) -> None:
    for _twice in range(2):
        assert post_twilio(settings, text, **reply("Can you stop by the shop?")) == 200
    assert kinds() == ["unclear_reply"]
    assert not Consent.objects.exists()
    ticket = ServiceInteraction.objects.get()
    assert (ticket.customer, ticket.channel) == (text.customer, "sms")
    assert ticket.message == "Can you stop by the shop?"
    assert (
        post_twilio(settings, text, **reply("stop it?!", MessageSid="SM8", From="+14155550199"))
        == 200
    )
    assert ServiceInteraction.objects.count() == 1


def test_a_stop_reply_concerns_every_customer_with_the_number(
    settings: Settings, text: CampaignExecution
) -> None:
    other = make_customer(phone="+4915112345678")
    assert post_twilio(settings, text, **reply("“Stop please”")) == 200
    for customer in (text.customer, other, make_customer(phone="+4915112345678")):
        consent.hold_opt_outs([customer.pk])
        customer.refresh_from_db()
        assert customer.opted_out_channels == ["sms"]


def test_a_whatsapp_reply_does_not_affect_sms(settings: Settings, text: CampaignExecution) -> None:
    assert post_twilio(settings, text, **reply("STOP", From="whatsapp:+4915112345678")) == 200
    assert not Consent.objects.exists()


def test_a_json_receipt_is_verified_by_its_body_hash(
    settings: Settings, text: CampaignExecution
) -> None:
    """https://www.twilio.com/docs/usage/security#validating-requests"""
    settings.SITE_URL = "https://crm.example"
    body = json.dumps(status(text, "delivered"))
    digest = hashlib.sha256(body.encode()).hexdigest()
    path = f"/hooks/twilio/{text.run.sender.public_id}/?message={key(text)}&bodySHA256={digest}"
    made = RequestValidator("t0ken").compute_signature(f"https://crm.example{path}", {})
    post = lambda body: Client().post(  # noqa: E731
        path, body, content_type="application/json", headers={"X-Twilio-Signature": made}
    )
    assert post(body.replace("delivered", "failed")).status_code == 403
    assert post(body).status_code == 200
    text.refresh_from_db()
    assert text.state == "delivered"
