"""Webhook payloads from the documentation of each provider, and the receipts they become."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

from crm.api import ids
from marketing.channels.webhook import signature
from marketing.models import CampaignExecution, ProviderEvent, Sender
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run, make_sender

pytestmark = pytest.mark.django_db

BASIC = {"Authorization": "Basic " + base64.b64encode(b"kindling:s3cret").decode()}
PRIVATE = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    PRIVATE.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).decode()
SVIX = "whsec_" + base64.b64encode(b"a secret of Resend").decode()
SECRETS = {
    "mailgun": {"webhook_signing_key": "s1"},
    "mailersend": {"signing_secret": "s2"},
    "sendgrid": {"tracking_webhook_verification_key": PUBLIC},
    "resend": {"signing_secret": SVIX},
}
ADDRESS, PROVIDER_ID = "ada@example.com", "p-1"


def make_message(provider: str, address: str = ADDRESS) -> CampaignExecution:
    sender = make_sender(provider=provider)
    for name, value in SECRETS.get(provider, {"webhook_secret": "kindling:s3cret"}).items():
        sender.set_setting(name, value)
    sender.save()
    run = make_run(make_campaign(sender=sender))
    return make_execution(
        run,
        make_customer(email=address),
        address=address,
        state="sent",
        attempts=1,
        provider_id=PROVIDER_ID,
    )


def signed(provider: str, body: bytes, *, at: int) -> Mapping[str, str]:
    if provider == "mailersend":
        return {"Signature": hmac.new(b"s2", body, hashlib.sha256).hexdigest()}
    if provider == "sendgrid":
        made = PRIVATE.sign(str(at).encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(made).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": str(at),
        }
    if provider == "resend":
        made_by_svix = signature(SVIX, "msg_1", at, body)
        return {"svix-id": "msg_1", "svix-timestamp": str(at), "svix-signature": f"v1,x {made_by_svix}"}  # fmt: skip
    return {} if provider == "mailgun" else BASIC


def tell(provider: str, told: Any, *, sender: Sender | None = None, at: int | None = None) -> int:
    at = int(time.time()) if at is None else at
    if provider == "mailgun" and isinstance(told, dict):
        made = hmac.new(b"s1", f"{at}t0ken".encode(), hashlib.sha256).hexdigest()
        told = {**told, "signature": {"timestamp": str(at), "token": "t0ken", "signature": made}}
    body = json.dumps(told).encode()
    path = f"/hooks/{provider}/" + (f"{sender.public_id}/" if sender else "")
    return (
        Client()
        .post(
            path, body, content_type="application/json", headers=dict(signed(provider, body, at=at))
        )
        .status_code
    )


# each provider's wrapping of one event, with our name for the message where it hands one back -------------------------------------


def brevo(event: str, **more: Any) -> Any:
    return {
        "event": event, "email": ADDRESS, "id": 1, "date": "2026-10-30 00:00:00", "ts": 1790000000, "ts_event": 1790000000,
        "ts_epoch": 1790000000123, "message-id": PROVIDER_ID, "X-Mailin-custom": "some_custom_header", "template_id": 22,
        "tags": ["transac_messages"], **more,
    }  # fmt: skip


def mailgun(event: str, **more: Any) -> Any:
    data = {
        "event": event, "id": "hTWCTD81RtiDN", "timestamp": 1790000000.153, "recipient": ADDRESS, "user-variables": {}, "tags": [],
        "message": {"headers": {"to": ADDRESS, "message-id": "20180812211713.1.DF5966851B4BAA99@example.org"}}, **more,
    }  # fmt: skip
    return {"event-data": data}


def mailersend(event: str, **more: Any) -> Any:
    email = {"message": {"id": PROVIDER_ID}, "recipient": {"email": ADDRESS}, "status": "rejected", "tags": None}  # fmt: skip
    data = {"object": "activity", "id": "62f114f8", "type": event, "created_at": "2026-08-08T13:50:17.000000Z", "email": email,
        **more}  # fmt: skip
    return {"type": f"activity.{event}", "domain_id": "d", "created_at": "2026-08-08T13:50:17.000000Z", "webhook_id": "w",
        "data": data}  # fmt: skip


def mailjet(event: str, **more: Any) -> Any:
    return {"event": event, "time": 1790000000, "email": ADDRESS, "MessageID": PROVIDER_ID, "Message_GUID": "g",
        "mj_campaign_id": 7, "mj_contact_id": 4, "customcampaign": "", "CustomID": "", "Payload": "", **more}  # fmt: skip


def postmark(event: str, **more: Any) -> Any:
    return {"RecordType": event, "MessageID": PROVIDER_ID, "Recipient": ADDRESS, "MessageStream": "outbound", "Metadata": {},
        "Tag": "", **more}  # fmt: skip


def resend(event: str, **more: Any) -> Any:
    data = {"created_at": "2026-02-22T23:41:11.894719+00:00", "email_id": PROVIDER_ID, "from": "Acme <o@resend.dev>",
        "to": [ADDRESS], "subject": "x", **more}  # fmt: skip
    return {"type": f"email.{event}", "created_at": "2026-02-22T23:41:12.126Z", "data": data}


def sendgrid(event: str, **more: Any) -> Any:
    return [{"event": event, "email": ADDRESS, "timestamp": 1790000000, "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "category": ["cat facts"], "sg_event_id": "e", "sg_message_id": f"{PROVIDER_ID}.recvd-7d9-1-5F-0", **more}]  # fmt: skip


def sparkpost(event: str, **more: Any) -> Any:
    return [{"msys": {"message_event": {"type": event, "event_id": "92356", "rcpt_to": ADDRESS, "raw_rcpt_to": ADDRESS,
        "rcpt_meta": {}, "timestamp": "1790000000", "transmission_id": PROVIDER_ID, **more}}}]  # fmt: skip


FIREFOX = "Mozilla/5.0 (X11) Firefox/99"
EXISTS_NOT = "550 5.1.1 The email account that you tried to reach does not exist."


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (brevo("delivered"), "delivered"),
        (brevo("hard_bounce", reason=EXISTS_NOT), "bounced_hard"),
        (brevo("soft_bounce", reason="server is down"), "bounced_soft"),
        (brevo("invalid_email"), "bounced_hard"),
        (brevo("blocked", reason="blocked : due to blacklist user"), "blocked"),
        (brevo("spam"), "complained"),
        (brevo("complaint"), "complained"),
        (brevo("unique_opened"), "opened"),
        (brevo("proxy_open"), "opened by a machine"),
        (brevo("unique_proxy_open"), "opened by a machine"),
        (brevo("click", link="https://shop.example/"), "clicked"),
        (brevo("unsubscribe"), "unsubscribed"),
        (brevo("error"), "failed"),
        (brevo("deferred"), ""),
        (brevo("request"), ""),
    ],
)
def test_brevo(told: Any, kind: str) -> None:
    assert becomes("brevo", told) == kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (mailgun("delivered", **{"delivery-status": {"code": 250, "message": "OK"}}), "delivered"),
        (mailgun("failed", severity="permanent", reason="bounce", **{"delivery-status": {"code": 550,
            "message": "5.1.1 does not exist"}}), "bounced_hard"),
        (mailgun("failed", severity="permanent", reason="generic", **{"delivery-status": {"code": 552, "message": "full",
            "enhanced-code": "5.2.2"}}), "bounced_soft"),
        (mailgun("failed", severity="permanent", reason="generic", **{"delivery-status": {"code": 550, "message": "no",
            "bounce-type": "soft"}}), "bounced_soft"),
        (mailgun("failed", severity="permanent", reason="old", **{"delivery-status": {"code": 602, "message": "Too old"}}), "bounced_soft"),
        (mailgun("failed", severity="permanent", reason="suppress-bounce", **{"delivery-status": {"code": 605, "message": ""}}),
            "bounced_hard"),
        (mailgun("failed", severity="permanent", reason="suppress-unsubscribe"), "unsubscribed"),
        (mailgun("failed", severity="permanent", reason="suppress-complaint"), "blocked"),
        (mailgun("failed", severity="temporary", reason="greylisted", **{"delivery-status": {"code": 450, "message": "Greylisted"}}), ""),
        (mailgun("rejected", reject={"reason": "Sandbox subdomains are for test purposes only."}), "failed"),
        (mailgun("complained"), "complained"),
        (mailgun("unsubscribed", **{"client-info": {"user-agent": "Mozilla/5.0 (X11)", "bot": ""}}), "unsubscribed"),
        (mailgun("opened", **{"client-info": {"user-agent": FIREFOX, "bot": ""}}), "opened"),
        (mailgun("opened", **{"client-info": {"user-agent": FIREFOX, "bot": "gmail"}}), "opened by a machine"),
        (mailgun("clicked", url="https://shop.example/", **{"client-info": {"user-agent": FIREFOX, "bot": "generic"}}),
            "clicked by a machine"),
        (mailgun("accepted"), ""),
    ],
)  # fmt: skip
def test_mailgun(told: Any, kind: str) -> None:
    told["event-data"]["user-variables"] = {"message": "ours"}
    assert becomes("mailgun", told) == kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (mailersend("delivered"), "delivered"),
        (mailersend("hard_bounced", morph={"object": "recipient_bounce", "reason": EXISTS_NOT}), "bounced_hard"),
        (mailersend("soft_bounced", morph={"object": "recipient_bounce", "reason": "full"}), "bounced_soft"),
        (mailersend("spam_complaint", morph={"object": "spam_complaint"}), "complained"),
        (mailersend("unsubscribed", morph={"object": "recipient_unsubscribe"}), "unsubscribed"),
        (mailersend("opened", morph={"object": "open", "ip": "127.0.0.1"}), "opened"),
        (mailersend("clicked", morph={"object": "click", "url": "https://shop.example/"}), "clicked"),
        (mailersend("sent", morph=None), ""),
    ],
)  # fmt: skip
def test_mailersend(told: Any, kind: str) -> None:
    assert becomes("mailersend", told) == kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (mailjet("sent", smtp_reply="sent (250 2.0.0 OK)"), "delivered"),
        ([mailjet("open", agent=FIREFOX, ip="1.2.3.4", geo="US")], "opened"),
        (mailjet("click", url="https://shop.example/"), "clicked"),
        (mailjet("bounce", blocked=False, hard_bounce=True, error_related_to="recipient", error="user unknown"), "bounced_hard"),
        (mailjet("bounce", blocked=False, hard_bounce=False, error_related_to="recipient", error="quota exceeded"), "bounced_soft"),
        (mailjet("bounce", blocked=True, hard_bounce=True, error_related_to="spam", error="content blocked"), "blocked"),
        (mailjet("blocked", error_related_to="recipient", error="user unknown"), "bounced_hard"),
        (mailjet("blocked", error_related_to="mailjet", error="preblocked"), "blocked"),
        (mailjet("bounce", hard_bounce=False, error="greylisted"), ""),
        (mailjet("spam", source="JMRPP"), "complained"),
        (mailjet("unsub", mj_list_id=1), "unsubscribed"),
        (mailjet("sent", Payload="5"), "delivered"),
    ],
)  # fmt: skip
def test_mailjet(told: Any, kind: str) -> None:
    assert becomes("mailjet", told) == kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (postmark("Delivery", DeliveredAt="2026-11-05T16:33:54.9070259Z"), "delivered"),
        (postmark("Bounce", Type="HardBounce", Details=EXISTS_NOT), "bounced_hard"),
        (postmark("Bounce", Type="SoftBounce", Details="4.2.2"), "bounced_soft"),
        (postmark("Bounce", Type="BadEmailAddress"), "bounced_hard"),
        (postmark("Bounce", Type="Blocked"), "blocked"),
        (postmark("Bounce", Type="VirusNotification"), "blocked"),
        (postmark("Bounce", Type="DMARCPolicy"), "blocked"),
        (postmark("Bounce", Type="ManuallyDeactivated"), "blocked"),
        (postmark("Bounce", Type="Transient"), ""),
        (postmark("Bounce", Type="AutoResponder"), ""),
        (postmark("Bounce", Type="Unsubscribe"), "unsubscribed"),
        (postmark("SpamComplaint", Type="SpamComplaint", BouncedAt="2026-11-05T16:33:54Z"), "complained"),
        (postmark("Open", FirstOpen=True, ReceivedAt="2026-11-05T16:33:54Z", UserAgent=FIREFOX), "opened"),
        (postmark("Open", FirstOpen=True, ReceivedAt="2026-11-05T16:33:54Z", UserAgent="Mozilla/5.0"), "opened by a machine"),
        (postmark("Click", OriginalLink="https://shop.example/", UserAgent=FIREFOX), "clicked"),
        (postmark("SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression", Origin="Recipient"), "unsubscribed"),
        (postmark("SubscriptionChange", SuppressSending=True, SuppressionReason="HardBounce"), "bounced_hard"),
        (postmark("SubscriptionChange", SuppressSending=False, SuppressionReason=None), ""),
    ],
)  # fmt: skip
def test_postmark(told: Any, kind: str) -> None:
    assert becomes("postmark", told) == kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (resend("delivered"), "delivered"),
        (resend("bounced", bounce={"message": "The recipient's email provider sent a hard bounce message"}), "bounced_hard"),
        (resend("bounced", bounce={"message": "on the suppression list", "subType": "Suppressed", "type": "Permanent"}), "bounced_hard"),
        (resend("bounced", bounce={"message": "full", "subType": "MailboxFull", "type": "Transient"}), "bounced_soft"),
        (resend("complained"), "complained"),
        (resend("opened"), "opened"),
        (resend("clicked", click={"link": "https://shop.example/", "userAgent": FIREFOX}), "clicked"),
        (resend("failed", failed={"reason": "reached_daily_quota"}), "failed"),
        (resend("suppressed", suppressed={"message": "on the account-level suppression list"}), "bounced_hard"),
        (resend("delivery_delayed"), ""),
        (resend("sent"), ""),
    ],
)  # fmt: skip
def test_resend(told: Any, kind: str) -> None:
    assert becomes("resend", told) == kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (sendgrid("delivered", response="250 OK"), "delivered"),
        (sendgrid("bounce", type="bounce", status="5.1.1", reason=EXISTS_NOT, bounce_classification="Invalid Address"), "bounced_hard"),
        (sendgrid("bounce", type="bounce", status="5.0.0", reason="550 no", bounce_classification="Reputation"), "blocked"),
        (sendgrid("bounce", type="bounce", status="5.0.0", reason="500 no", bounce_classification="Technical Failure"), "bounced_soft"),
        (sendgrid("bounce", type="blocked", status="5.7.1", reason="550 blocked"), "blocked"),
        (sendgrid("dropped", reason="Bounced Address", status="5.0.0"), "bounced_hard"),
        (sendgrid("bounce", type="bounce", status="5.0.0", reason="550 relay not permitted"), "account"),
        (sendgrid("bounce", type="bounce", status="", reason="550 Sender verify failed"), "account"),
        (sendgrid("bounce", type="bounce", status="", reason="554 listed at zen.spamhaus.example"), "blocked"),
        (sendgrid("dropped", reason="Unsubscribed Address"), "unsubscribed"),
        (sendgrid("dropped", reason="Spam Reporting Address"), "blocked"),
        (sendgrid("spamreport"), "complained"),
        (sendgrid("unsubscribe"), "unsubscribed"),
        (sendgrid("group_unsubscribe", asm_group_id=10), "unsubscribed"),
        (sendgrid("group_resubscribe", asm_group_id=10), ""),
        (sendgrid("open", useragent=FIREFOX, sg_machine_open=False), "opened"),
        (sendgrid("open", useragent=FIREFOX, sg_machine_open=True), "opened by a machine"),
        (sendgrid("click", url="https://shop.example/", useragent=FIREFOX), "clicked"),
        (sendgrid("deferred", response="400 try again later", attempt="5"), ""),
        (sendgrid("processed"), ""),
    ],
)  # fmt: skip
def test_sendgrid(told: Any, kind: str) -> None:
    assert becomes("sendgrid", told) == kind


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (sparkpost("delivery"), "delivered"),
        (sparkpost("bounce", bounce_class="10", raw_reason=EXISTS_NOT), "bounced_hard"),
        (sparkpost("bounce", bounce_class="22", raw_reason="552 mailbox full"), "bounced_soft"),
        (sparkpost("bounce", bounce_class="1", raw_reason="550 ?"), "bounced_soft"),
        (sparkpost("bounce", bounce_class="51", raw_reason="550 spam"), "blocked"),
        (sparkpost("out_of_band", bounce_class="30", raw_reason="550 no such user"), "bounced_hard"),
        (sparkpost("bounce", bounce_class="60"), ""),
        (sparkpost("bounce", bounce_class="90"), "unsubscribed"),
        (sparkpost("delay", bounce_class="21", raw_reason="454 4.4.4 no MX"), ""),
        (sparkpost("policy_rejection", bounce_class="25"), "blocked"),
        (sparkpost("generation_failure", raw_reason="554 5.3.3"), "failed"),
        (sparkpost("spam_complaint"), "complained"),
        (sparkpost("list_unsubscribe"), "unsubscribed"),
        (sparkpost("open", user_agent=FIREFOX), "opened"),
        (sparkpost("open", user_agent=FIREFOX, is_prefetched=True), "opened by a machine"),
        (sparkpost("click", user_agent=FIREFOX, target_link_url="https://shop.example/"), "clicked"),
        ([{"msys": {}}], ""),
    ],
)  # fmt: skip
def test_sparkpost(told: Any, kind: str) -> None:
    assert becomes("sparkpost", told) == kind


def becomes(provider: str, told: Any) -> str:
    """Post the event of an existing message twice; return the kind of the one receipt that is stored."""
    message = make_message(provider)
    text = json.dumps(told).replace('"ours"', json.dumps(ids.encode("msg", message.pk)))
    for _ in range(2):
        assert tell(provider, json.loads(text)) == 200
    kept = ProviderEvent.objects.first()
    if kept is None:
        return ""
    assert ProviderEvent.objects.count() == 1
    assert kept.execution_id == message.pk
    return f"{kept.kind} by a machine" if kept.machine else str(kept.kind)


DELIVERIES = [
    ("brevo", brevo("delivered")),
    ("mailgun", mailgun("delivered")),
    ("mailersend", mailersend("delivered")),
    ("mailjet", mailjet("sent")),
    ("postmark", postmark("Delivery")),
    ("resend", resend("delivered")),
    ("sendgrid", sendgrid("delivered")),
    ("sparkpost", sparkpost("delivery")),
]
PROVIDERS = [provider for provider, _told in DELIVERIES]


@pytest.mark.parametrize(("provider", "told"), DELIVERIES)
def test_an_unknown_message_is_ignored(provider: str, told: Any) -> None:
    message = make_message(provider)
    CampaignExecution.objects.update(provider_id="another")
    assert tell(provider, told) == 200
    message.refresh_from_db()
    assert message.state == "sent"


@pytest.mark.parametrize(("provider", "told"), DELIVERIES)
def test_an_unsigned_request_is_refused(provider: str, told: Any) -> None:
    make_message(provider)
    response = Client().post(
        f"/hooks/{provider}/", json.dumps(told), content_type="application/json"
    )
    assert response.status_code == 403
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "told",
    [
        [], {}, None, 7, "x", [None], {"event-data": []}, {"data": None}, [{"msys": []}],
        {"type": "email.bounced", "data": {"bounce": "no", "to": 5}, "created_at": "2026-02-22T23:41:12"},
        {"event": "sent", "time": 10**30, "MessageID": {"a": 1}, "email": ["x"], "smtp_reply": {"x": "y"}},
        {"event": "open", "time": 1, "agent": ["x"], "url": {}, "email": None},
        {"event-data": {"event": "opened", "timestamp": 1e300, "client-info": None}},
        {"RecordType": "Open", "ReceivedAt": "yesterday", "Metadata": 5, "UserAgent": 7, "Recipient": "a\x00b\ud800"},
        [{"event": "open", "timestamp": 10**30, "email": 7, "useragent": 7}],
    ],
)  # fmt: skip
def test_a_malformed_request_is_refused(provider: str, told: Any) -> None:
    make_message(provider)
    assert tell(provider, told) in {200, 400, 403}


@pytest.mark.parametrize("age", [-310, 310])  # five minutes, and what a busy machine takes to ask
def test_an_expired_signature_is_refused(age: int) -> None:
    make_message("resend")
    assert tell("resend", resend("delivered"), at=int(time.time()) + age) == 403


def test_resend_without_a_secret_uses_basic_auth() -> None:
    message = make_message("resend")
    sender = message.run.sender
    sender.set_setting("signing_secret", "")
    sender.set_setting("webhook_secret", "kindling:s3cret")
    sender.save()

    def post(headers: Mapping[str, str]) -> int:
        path, told = "/hooks/resend/", resend("delivered")
        return Client().post(path, told, content_type="application/json", headers=dict(headers)).status_code  # fmt: skip

    assert post({}) == 403
    assert post(BASIC) == 200


def test_every_event_of_a_batch_is_recorded() -> None:
    message = make_message("brevo")
    told = [brevo(each) for each in ("delivered", "unique_opened", "click")]
    assert tell("brevo", told) == 200
    kinds = set(ProviderEvent.objects.values_list("kind", flat=True))
    assert kinds == {"delivered", "opened", "clicked"}
    message.refresh_from_db()
    assert message.clicked_at is not None


def test_our_own_message_id_identifies_the_message() -> None:
    """For a provider that returns no metadata, when its answer was not stored."""
    message = make_message("mailgun")
    CampaignExecution.objects.update(state="unconfirmed", provider_id="")
    ours = f"{ids.encode('msg', message.pk)}@shop.example"
    told = mailgun("delivered", message={"headers": {"message-id": ours, "to": ADDRESS}})
    assert tell("mailgun", told) == 200
    message.refresh_from_db()
    assert message.state == "delivered"


def test_senders_of_one_secret_get_their_own_events() -> None:
    make_message("postmark", "grace@example.com")
    CampaignExecution.objects.update(provider_id="the first's")
    second = make_message("postmark")
    for _ in range(2):
        assert tell("postmark", postmark("Delivery")) == 200
    second.refresh_from_db()
    assert second.state == "delivered"
    assert ProviderEvent.objects.get().sender == second.run.sender


BATCHES = {
    "brevo": [brevo("hard_bounce", reason=EXISTS_NOT, id=2)],
    "mailjet": [mailjet("bounce", hard_bounce=True, error="user unknown")],
    "sparkpost": sparkpost("bounce", raw_reason=EXISTS_NOT, bounce_class="10", event_id="2"),
    "sendgrid": sendgrid("bounce", reason=EXISTS_NOT, status="5.1.1", type="bounce"),
}
UNREADABLE: list[Any] = [
    {}, [], None, 7, "text", {"event": None}, {"event": {"a": 1}}, {"msys": {}}, {"msys": {"message_event": None}},
    {"msys": {"message_event": {"type": "bounce", "timestamp": "soon"}}}, {"event": "bounce", "time": "yesterday", "email": 3},
    {"event": "open", "timestamp": 1e300}, {"event": "click", "ts_epoch": "x", "date": "never"}, {"event": "a\x00b"},
]  # fmt: skip


@pytest.mark.parametrize("provider", BATCHES)
def test_an_unreadable_event_of_a_batch_costs_the_others_nothing(provider: str) -> None:
    make_message(provider)
    for odd in UNREADABLE:
        for batch in ([odd, *BATCHES[provider]], [*BATCHES[provider], odd]):
            ProviderEvent.objects.all().delete()
            assert tell(provider, batch) == 200, odd
            assert "bounced_hard" in set(ProviderEvent.objects.values_list("kind", flat=True)), odd
