"""Signed provider webhooks update messages once, in any order."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
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
from marketing.channels import amazon_ses
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


def sendgrid_key() -> str:
    public = KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(public).decode()


def post_sendgrid(events: object, *, sign: object = None) -> int:
    """https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features"""
    signed = KEY.sign(
        b"1600112502" + json.dumps(sign or events).encode(), ec.ECDSA(hashes.SHA256())
    )
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signed).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": "1600112502",
    }
    return Client().post("/hooks/sendgrid", json.dumps(events), content_type="application/json", headers=headers).status_code  # fmt: skip


def test_a_sendgrid_signature_is_verified() -> None:
    """https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event"""
    execution = message_of(
        "sendgrid", api_key="k", tracking_webhook_verification_key=sendgrid_key()
    )
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
    for _twice in range(2):
        assert post_sendgrid(events) == 200
    recorded = list(Interaction.objects.order_by("pk").values_list("type", flat=True))
    assert recorded == [
        "message_delivered",
        "message_opened",
        "message_opened_by_machine",
        "message_clicked",
    ]
    assert post_sendgrid([{**common, "event": "bounce"}], sign=events) == 403


@pytest.mark.parametrize(
    "odd",
    [
        {"timestamp": "2026-11-30T04:00:00Z"},
        {"timestamp": None},
        {"timestamp": 1e30},
        {"event": None},
        {"event": ["bounce"]},
        {"sg_event_id": {"a": 1}},
        "not an object",
        None,
        [],
    ],
)
def test_an_unreadable_event_costs_the_others_nothing(odd: object) -> None:
    execution = message_of(
        "sendgrid", api_key="k", tracking_webhook_verification_key=sendgrid_key()
    )
    good = {
        "event": "bounce", "type": "bounce", "email": "ada@example.com", "timestamp": 1790000000, "sg_event_id": "good",
        "sg_message_id": "p-1.filter", "status": "5.1.1", "reason": "550 5.1.1 unknown", "message": key(execution),
    }  # fmt: skip
    bad = {**good, "sg_event_id": "odd", "email": "bob@example.org", **odd} if isinstance(odd, dict) else odd  # fmt: skip
    assert post_sendgrid([bad, good, bad]) == 200
    assert "bounced_hard" in kinds()
    execution.refresh_from_db()
    assert execution.state == "bounced"


def test_a_request_without_a_readable_event_is_refused() -> None:
    message_of("sendgrid", api_key="k", tracking_webhook_verification_key=sendgrid_key())
    assert post_sendgrid([{"timestamp": "x"}]) == 400
    assert post_sendgrid([]) == 200


# Mandrill ------------------------------------------------------------------------------------------------------------------------


def mandrill_event(execution: CampaignExecution, event: str, **parts: Any) -> dict[str, Any]:
    """https://mailchimp.com/developer/transactional/docs/webhooks/#format"""
    return {
        "event": event, "_id": "exampleaaaaaaaaaaaaaaaaaaaaaaaaa", "ts": 1790000000,
        "msg": {
            "ts": 1790000000, "subject": "Hello", "email": "ada@example.com", "sender": "hello@shop.example", "tags": [], "opens": [],
            "clicks": [], "state": "sent", "metadata": {"message": key(execution)}, "_id": "exampleaaaaaaaaaaaaaaaaaaaaaaaaa", **parts,
        },
    }  # fmt: skip


def post_mandrill(
    settings: Settings, events: object, *, key: bytes = b"w3bhook", slash: str = "/"
) -> int:
    settings.SITE_URL = "https://crm.example"
    sender = Sender.objects.get(provider="mandrill")
    path = f"/hooks/mandrill/{sender.public_id}"
    form = {"mandrill_events": json.dumps(events)}
    signed = f"https://crm.example{path}{slash}mandrill_events{form['mandrill_events']}"
    digest = hmac.digest(key, signed.encode(), "sha1")
    headers = {"X-Mandrill-Signature": base64.b64encode(digest).decode()}
    return Client().post(f"{path}/", form, headers=headers).status_code


@pytest.mark.parametrize(
    ("event", "parts", "kind"),
    [
        ("hard_bounce", {"diag": "smtp;550 5.1.1 No such user here", "bounce_description": "bad_mailbox"}, "bounced_hard"),
        ("soft_bounce", {"diag": "smtp;452 4.2.2 Mailbox full", "bounce_description": "mailbox_full"}, "bounced_soft"),
        ("reject", {"reject": {"reason": "spam"}}, "blocked"),
        ("reject", {"reject": {"reason": "unsub"}}, "unsubscribed"),
        ("reject", {"reject": {"reason": "invalid-sender"}}, "account"),
        ("reject", {"reject": {"reason": "test-mode-limit"}}, "account"),
        ("spam", {}, "complained"),
        ("unsub", {}, "unsubscribed"),
        ("open", {}, "opened"),
        ("click", {}, "clicked"),
    ],
)  # fmt: skip
def test_mandrill_events_are_understood(
    settings: Settings, event: str, parts: dict[str, Any], kind: str
) -> None:
    execution = message_of("mandrill", api_key="k", webhook_key="w3bhook")
    events = [mandrill_event(execution, "send"), {"ts": "soon"}, mandrill_event(execution, event, **parts)]  # fmt: skip
    assert post_mandrill(settings, events, key=b"other") == 403
    for slash in ("/", ""):
        assert post_mandrill(settings, events, slash=slash) == 200
    assert kinds() == [kind]


# Mailtrap ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "parts", "kind"),
    [
        ("delivery", {}, "delivered"),
        ("bounce", {"response": "550 5.1.1 no such user", "response_code": 550, "bounce_category": "badmailbox"}, "bounced_hard"),
        ("bounce", {"response": "552 5.2.2 full", "response_code": 552, "bounce_category": "quotaissues"}, "bounced_soft"),
        ("bounce", {"response": "550 5.7.1 rejected", "response_code": 550, "bounce_category": "spam_related"}, "blocked"),
        ("reject", {"reason": "Domain is on a blocklist"}, "blocked"),
        ("spam", {}, "complained"),
        ("unsubscribe", {}, "unsubscribed"),
        ("open", {"user_agent": "Mozilla/5.0 (X11; Linux x86_64)", "ip": "192.0.2.1"}, "opened"),
        ("click", {"url": "https://shop.example/"}, "clicked"),
    ],
)  # fmt: skip
def test_mailtrap_events_are_understood(event: str, parts: dict[str, Any], kind: str) -> None:
    """https://docs.mailtrap.io/email-api-smtp/advanced/webhooks"""
    execution = message_of("mailtrap", api_token="t", tracking_secret="s3cret")
    told = {
        "event": event, "message_id": "mt-1", "sending_stream": "bulk", "email": "ada@example.com", "timestamp": 1790000000,
        "event_id": "e-1", "category": "News", "custom_variables": {"message": key(execution)}, **parts,
    }  # fmt: skip
    body = json.dumps({"events": [{"event": "delivery"}, told]})

    def post(secret: bytes) -> int:
        signature = hmac.new(secret, body.encode(), "sha256").hexdigest()
        headers = {"Mailtrap-Signature": signature}
        return Client().post("/hooks/mailtrap", body, content_type="application/json", headers=headers).status_code  # fmt: skip

    assert post(b"other") == 403
    for _twice in range(2):
        assert post(b"s3cret") == 200
    assert kinds() == [kind]


# Postal --------------------------------------------------------------------------------------------------------------------------

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_PUBLIC = base64.b64encode(
    RSA.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).decode()


@pytest.mark.parametrize(
    ("event", "parts", "kind"),
    [
        ("MessageSent", {"status": "Sent", "output": "250 2.0.0 OK"}, "delivered"),
        ("MessageDeliveryFailed", {"status": "HardFail", "output": "550 5.1.1 No such user here"}, "bounced_hard"),
        ("MessageDeliveryFailed", {"status": "HardFail", "output": "554 5.7.1 Service unavailable; blocked using Spamhaus"}, "blocked"),
        ("MessageLoaded", {"ip_address": "192.0.2.1", "user_agent": "Mozilla/5.0 (X11; Linux x86_64)"}, "opened"),
        ("MessageLinkClicked", {"url": "https://shop.example/", "user_agent": "Firefox"}, "clicked"),
        ("MessageBounced", {"bounce": {"id": 9, "to": "x@rp.example"}}, "bounced_soft"),
    ],
)  # fmt: skip
def test_postal_events_are_understood(event: str, parts: dict[str, Any], kind: str) -> None:
    """https://docs.postalserver.io/developer/webhooks"""
    execution = message_of("postal", api_key="k", api_url="https://postal.example", webhook_key=f"v=DKIM1; p={RSA_PUBLIC};")  # fmt: skip
    named = "original_message" if event == "MessageBounced" else "message"
    message = {
        "id": 12345, "token": "abcdef123", "direction": "outgoing", "message_id": f"{key(execution)}@shop.example",
        "to": "ada@example.com", "from": "hello@shop.example", "subject": "Hello", "timestamp": 1790000000.3, "tag": None,
    }  # fmt: skip
    body = json.dumps({"event": event, "timestamp": 1790000001.5, "uuid": "u-1", "payload": {named: message, **parts}})  # fmt: skip

    def post(signed: str, *, header: str, algorithm: hashes.HashAlgorithm) -> int:
        signature = RSA.sign(signed.encode(), padding.PKCS1v15(), algorithm)
        headers = {header: base64.b64encode(signature).decode()}
        return Client().post("/hooks/postal", body, content_type="application/json", headers=headers).status_code  # fmt: skip

    sha1, sha256 = hashes.SHA1(), hashes.SHA256()
    assert post(body + " ", header="X-Postal-Signature", algorithm=sha1) == 403
    assert post(body, header="X-Postal-Signature-256", algorithm=sha1) == 403
    assert post(body, header="X-Postal-Signature", algorithm=sha1) == 200
    assert post(body, header="X-Postal-Signature-256", algorithm=sha256) == 200
    assert kinds() == [kind]


# Amazon SES ----------------------------------------------------------------------------------------------------------------------

TOPIC = "arn:aws:sns:eu-central-1:123456789012:ses"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-abc.pem"


class Amazon:
    """The hosts of SNS: they serve a certificate and confirm subscriptions."""

    def __init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = timezone.now()
        builder = x509.CertificateBuilder(name, name, RSA.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))  # fmt: skip
        self.certificate = builder.sign(RSA, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)  # fmt: skip
        self.visited: list[str] = []

    def get(self, url: str) -> requests.Response:
        self.visited.append(url)
        response = requests.Response()
        response.status_code, response._content = 200, self.certificate
        return response

    def post(self, message: object = "", *, version: str = "2", **parts: str) -> int:
        """https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html"""
        posted = {
            "Type": "Notification", "MessageId": "m-1", "TopicArn": TOPIC, "Subject": "Amazon SES Email Event Notification",
            "Message": message if isinstance(message, str) else json.dumps(message), "Timestamp": "2026-11-30T04:00:00.000Z",
            "SignatureVersion": version, "SigningCertURL": CERTIFICATE_URL, **parts,
        }  # fmt: skip
        if posted["Type"] != "Notification":
            del posted["Subject"]
        text = "".join(
            f"{name}\n{posted[name]}\n" for name in sorted(posted) if name in SIGNED_PARTS
        )
        algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
        signature = RSA.sign(text.encode(), padding.PKCS1v15(), algorithm)
        posted["Signature"] = parts.get("Signature", base64.b64encode(signature).decode())
        body, headers = json.dumps(posted), {"x-amz-sns-message-type": posted["Type"]}
        return Client().post("/hooks/amazon_ses", body, content_type="text/plain", headers=headers).status_code  # fmt: skip


SIGNED_PARTS = {"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}  # fmt: skip


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Amazon:
    amazon = Amazon()
    amazon_ses._certified_key.cache_clear()
    monkeypatch.setattr(amazon_ses.Session, "get", amazon.get)
    return amazon


@pytest.fixture
def by_ses(amazon: Amazon) -> CampaignExecution:
    return message_of("amazon_ses", region="eu-central-1", access_key_id="a", secret_access_key="s", topic_arn=TOPIC)  # fmt: skip


def ses_event(execution: CampaignExecution, name: str, **parts: Any) -> dict[str, Any]:
    """https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html"""
    part = name[:1].lower() + name[1:]
    return {
        "eventType": name,
        part: {"timestamp": "2026-11-30T04:00:00.000Z", **parts},
        "mail": {
            "timestamp": "2026-11-30T03:59:00.000Z", "source": "hello@shop.example", "messageId": "0107-1",
            "destination": ["ada@example.com"], "headersTruncated": False, "headers": [], "commonHeaders": {},
            "tags": {"message": [key(execution)], "ses:source-ip": ["192.0.2.1"]},
        },
    }  # fmt: skip


def bounced(kind: str, subtype: str, diagnostic: str = "") -> dict[str, Any]:
    recipient = {"emailAddress": "ada@example.com", "action": "failed", "status": "5.1.1", "diagnosticCode": diagnostic}  # fmt: skip
    return {"bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": [recipient]}


@pytest.mark.parametrize(
    ("name", "parts", "kind"),
    [
        ("Bounce", bounced("Permanent", "General", "smtp; 550 5.1.1 user unknown"), "bounced_hard"),
        ("Bounce", bounced("Permanent", "NoEmail"), "bounced_hard"),
        ("Bounce", bounced("Permanent", "General", "smtp; 554 5.7.1 blocked using zen.spamhaus.org"), "blocked"),
        ("Bounce", bounced("Permanent", "OnAccountSuppressionList"), "blocked"),
        ("Bounce", bounced("Permanent", "UnsubscribedRecipient"), "unsubscribed"),
        ("Bounce", bounced("Transient", "MailboxFull"), "bounced_soft"),
        ("Bounce", bounced("Undetermined", "Undetermined"), "bounced_soft"),
        ("Complaint", {"complainedRecipients": [{"emailAddress": "ada@example.com"}], "complaintFeedbackType": "abuse"}, "complained"),
        ("Complaint", {"complainedRecipients": [{"emailAddress": "ada@example.com"}], "complaintFeedbackType": "not-spam"}, "blocked"),
        ("Delivery", {"smtpResponse": "250 ok", "recipients": ["ada@example.com"]}, "delivered"),
        ("Open", {"userAgent": "Mozilla/5.0 (X11; Linux x86_64)", "ipAddress": "192.0.2.1"}, "opened"),
        ("Click", {"link": "https://shop.example/", "userAgent": "Firefox"}, "clicked"),
        ("Reject", {"reason": "Bad content"}, "blocked"),
        ("Subscription", {"contactList": "all", "newTopicPreferences": {"unsubscribeAll": True}}, "unsubscribed"),
    ],
)  # fmt: skip
def test_ses_events_are_understood(
    amazon: Amazon, by_ses: CampaignExecution, name: str, parts: dict[str, Any], kind: str
) -> None:
    for version in ("1", "2"):
        assert amazon.post(ses_event(by_ses, name, **parts), version=version) == 200
    assert kinds() == [kind]
    assert amazon.visited == [CERTIFICATE_URL]


@pytest.mark.parametrize("name", ["Send", "DeliveryDelay"])
def test_ses_events_on_the_way_record_nothing(
    amazon: Amazon, by_ses: CampaignExecution, name: str
) -> None:
    assert amazon.post(ses_event(by_ses, name)) == 200
    assert amazon.post("Successfully validated SNS topic for Amazon SES event publishing.") == 200
    assert amazon.post("hello") == 400
    assert kinds() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"TopicArn": "arn:aws:sns:eu-central-1:999999999999:ses"},
        {"Signature": "AAAA"},
        {"SigningCertURL": "https://sns.eu-central-1.amazonaws.com.evil.example/a.pem"},
        {"SigningCertURL": "https://evil.example/sns.eu-central-1.amazonaws.com/a.pem"},
        {"SigningCertURL": "https://sns.eu-central-1.amazonaws.com@evil.example/a.pem"},
        {"SigningCertURL": "https://s3.amazonaws.com/bucket/a.pem"},
        {"SigningCertURL": "http://sns.eu-central-1.amazonaws.com/a.pem"},
        {"SigningCertURL": "https://sns.eu-central-1.amazonaws.com:8443/a.pem"},
        {"SignatureVersion": "3"},
        {"Type": "Other"},
    ],
)  # fmt: skip
def test_a_notification_of_anybody_else_is_refused(
    amazon: Amazon, by_ses: CampaignExecution, wrong: dict[str, str]
) -> None:
    assert amazon.post(ses_event(by_ses, "Delivery"), **wrong) == 403
    assert kinds() == []
    assert set(amazon.visited) <= {CERTIFICATE_URL}


def test_the_subscription_of_the_own_topic_is_confirmed(
    amazon: Amazon, by_ses: CampaignExecution
) -> None:
    url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    parts = {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": url}
    other = {**parts, "TopicArn": "arn:aws:sns:eu-central-1:999999999999:ses"}
    assert amazon.post("Confirm", **other) == 403
    assert amazon.post("Confirm", **{**parts, "SubscribeURL": "https://evil.example/"}) == 400
    assert url not in amazon.visited
    del parts["Type"]
    assert amazon.post("Confirm", Type="SubscriptionConfirmation", **parts) == 200
    assert amazon.visited[-1] == url


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
        ("30006", "soft_bounce", False),
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


@pytest.mark.parametrize("code", ["30002", "30032", "30034", "63015", "63016", "63038", "63042"])
def test_a_twilio_code_of_the_account_blames_no_number(
    settings: Settings, text: CampaignExecution, code: str
) -> None:
    form = status(text, "undelivered", ErrorCode=code)
    assert post_twilio(settings, text, query=f"?message={key(text)}", **form) == 200
    text.refresh_from_db()
    assert (text.state, text.error_kind) == ("failed", "account")
    assert not Suppression.objects.exists()


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
