"""Translate the events of e-mail service providers, from anymail's vocabulary and their own, into receipts.

Source: https://anymail.dev/en/stable/sending/tracking/, and the provider's documentation named at each dialect.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import requests
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason

from crm.api import ids
from marketing.channels.receipts import ReceiptEvent, ReceiptKind
from marketing.channels.refusals import cut_reply_code, kind_of_report

KEY = "message"
"""The metadata under which a provider hands our name for a message back."""

OUR_MESSAGE_ID = re.compile(r"<?(?P<key>[^<>@\s]+)@[^<>@\s]+>?")

KINDS = {
    EventType.DELIVERED: ReceiptKind.DELIVERED,
    EventType.COMPLAINED: ReceiptKind.COMPLAINED,
    EventType.OPENED: ReceiptKind.OPENED,
    EventType.CLICKED: ReceiptKind.CLICKED,
    EventType.UNSUBSCRIBED: ReceiptKind.UNSUBSCRIBED,
    EventType.FAILED: ReceiptKind.FAILED,
}
REJECTIONS = {
    RejectReason.INVALID: ReceiptKind.BOUNCED_HARD,
    RejectReason.BOUNCED: ReceiptKind.BOUNCED_HARD,
    RejectReason.TIMED_OUT: ReceiptKind.BOUNCED_SOFT,
    RejectReason.BLOCKED: ReceiptKind.BLOCKED,
    RejectReason.SPAM: ReceiptKind.BLOCKED,
    RejectReason.UNSUBSCRIBED: ReceiptKind.UNSUBSCRIBED,
}
BOUNCES = {
    RejectReason.TIMED_OUT: ReceiptKind.BOUNCED_SOFT,
    RejectReason.BLOCKED: ReceiptKind.BLOCKED,
    RejectReason.SPAM: ReceiptKind.BLOCKED,
}
ON_ITS_WAY = frozenset(
    {
        EventType.QUEUED,
        EventType.SENT,
        EventType.DEFERRED,
        EventType.AUTORESPONDED,
        EventType.SUBSCRIBED,
    }
)


class Dialect:
    """A provider's own vocabulary, where it says more than anymail passes on. It reads the unwrapped record of one event."""

    def record(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        return raw

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        """Return the kind where the provider's own words decide it; None leaves it to anymail and the status code."""
        return None

    def refusal(self, answer: requests.Response) -> ReceiptKind | None:
        """Return why an answer of the API refuses a recipient; None where it does not say so in words of its own."""
        return None

    def is_bot(self, raw: Mapping[str, Any]) -> bool:
        """Return whether the provider itself reports that a bot opened or clicked."""
        return False

    def key(self, raw: Mapping[str, Any]) -> str:
        """Return our key of the message where anymail does not find it."""
        return ""

    def provider_id(self, event: AnymailTrackingEvent, raw: Mapping[str, Any]) -> str:
        return _text(event.message_id)


class Brevo(Dialect):
    """https://developers.brevo.com/docs/transactional-webhooks"""

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        return ReceiptKind.BOUNCED_SOFT if raw.get("event") == "soft_bounce" else None

    def is_bot(self, raw: Mapping[str, Any]) -> bool:
        return raw.get("event") in {"proxy_open", "unique_proxy_open"}


class Mailgun(Dialect):
    """https://documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure"""

    REASONS = {
        "suppress-bounce": ReceiptKind.BOUNCED_HARD,
        "suppress-complaint": ReceiptKind.BLOCKED,
        "suppress-unsubscribe": ReceiptKind.UNSUBSCRIBED,
        "old": ReceiptKind.BOUNCED_SOFT,
        "espblock": ReceiptKind.BLOCKED,
    }

    def record(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        return _mapping(raw.get("event-data")) or raw

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        if raw.get("event") != "failed" or raw.get("severity") == "temporary":
            return None
        if _mapping(raw.get("delivery-status")).get("bounce-type") == "soft":
            return ReceiptKind.BOUNCED_SOFT
        return self.REASONS.get(_text(raw.get("reason")))

    def is_bot(self, raw: Mapping[str, Any]) -> bool:
        return bool(_mapping(raw.get("client-info")).get("bot"))


class MailerSend(Dialect):
    """https://developers.mailersend.com/api/v1/webhooks.html"""

    def record(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        return _mapping(raw.get("data"))

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        return ReceiptKind.BOUNCED_SOFT if raw.get("type") == "soft_bounced" else None


class Mailjet(Dialect):
    """https://dev.mailjet.com/email/guides/webhooks/"""

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        return ReceiptKind.BOUNCED_SOFT if raw.get("event") == "bounce" and raw.get("hard_bounce") is False else None  # fmt: skip


class Mailtrap(Dialect):
    """https://docs.mailtrap.io/email-api-smtp/advanced/webhooks"""

    CATEGORIES = {
        "quotaissues": ReceiptKind.BOUNCED_SOFT,
        "connectionissues": ReceiptKind.BOUNCED_SOFT,
        "virus": ReceiptKind.BLOCKED,
        "spam": ReceiptKind.BLOCKED,
        "contentrelated": ReceiptKind.BLOCKED,
        "policyrelated": ReceiptKind.BLOCKED,
        "badconfiguration": ReceiptKind.BLOCKED,
    }

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        if raw.get("event") != "bounce":
            return None
        category = re.sub("[^a-z]", "", _text(raw.get("bounce_category")).lower())
        return self.CATEGORIES.get(category)


class Mandrill(Dialect):
    """https://mailchimp.com/developer/transactional/docs/webhooks/"""

    REASONS = {
        "hard-bounce": ReceiptKind.BOUNCED_HARD,
        "soft-bounce": ReceiptKind.BOUNCED_SOFT,
        "unsub": ReceiptKind.UNSUBSCRIBED,
        "invalid-sender": ReceiptKind.ACCOUNT,
        "unsigned": ReceiptKind.ACCOUNT,
        "test-mode-limit": ReceiptKind.ACCOUNT,
    }
    """https://mailchimp.com/developer/transactional/docs/reputation-rejections/"""

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        match raw.get("event"):
            case "soft_bounce":
                return ReceiptKind.BOUNCED_SOFT
            case "reject":
                reject = _mapping(_mapping(raw.get("msg")).get("reject"))
                return self.REASONS.get(_text(reject.get("reason")), ReceiptKind.BLOCKED)
        return None

    def refusal(self, answer: requests.Response) -> ReceiptKind | None:
        """Return the kind of a rejection; a bounce is one of an earlier message, and suppresses no address again."""
        (row,) = answer.json()
        if row.get("status") != "rejected":
            return None
        kind = self.REASONS.get(_text(row.get("reject_reason")))
        return kind if kind in {ReceiptKind.ACCOUNT, ReceiptKind.UNSUBSCRIBED} else None


class Postal(Dialect):
    """https://docs.postalserver.io/developer/webhooks"""

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        match raw.get("event"):
            case "MessageLoaded":
                return ReceiptKind.OPENED
            case "MessageBounced":
                return ReceiptKind.BOUNCED_SOFT  # a message came back, and says nowhere why
            case "MessageDeliveryFailed":
                output = _text(_mapping(raw.get("payload")).get("output"))
                return kind_of_report(output) if cut_reply_code(output) else None
        return None

    def key(self, raw: Mapping[str, Any]) -> str:
        """Return our key from the Message-ID."""
        payload = _mapping(raw.get("payload"))
        message = _mapping(payload.get("message") or payload.get("original_message"))
        return key_in(message.get("message_id"))


class Postmark(Dialect):
    """https://postmarkapp.com/developer/api/bounce-api#bounce-types"""

    TYPES = {
        "SoftBounce": ReceiptKind.BOUNCED_SOFT,
        "Blocked": ReceiptKind.BLOCKED,
        "VirusNotification": ReceiptKind.BLOCKED,
    }

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        return self.TYPES.get(_text(raw.get("Type"))) if raw.get("RecordType") == "Bounce" else None  # fmt: skip


class Resend(Dialect):
    """https://resend.com/docs/webhooks/event-types"""

    TYPES = {"email.failed": ReceiptKind.FAILED, "email.suppressed": ReceiptKind.BOUNCED_HARD}
    BOUNCES = {"Transient": ReceiptKind.BOUNCED_SOFT, "Undetermined": ReceiptKind.BOUNCED_SOFT}

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        what = _text(raw.get("type"))
        if what != "email.bounced":
            return self.TYPES.get(what)
        bounce = _mapping(_mapping(raw.get("data")).get("bounce"))
        if bounce.get("subType") == "Suppressed":
            return ReceiptKind.BOUNCED_HARD
        return self.BOUNCES.get(_text(bounce.get("type")))


class SendGrid(Dialect):
    """https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event"""

    CLASSIFICATIONS = {
        "Content": ReceiptKind.BLOCKED,
        "Reputation": ReceiptKind.BLOCKED,
        "Frequency or Volume Too High": ReceiptKind.BOUNCED_SOFT,
        "Technical Failure": ReceiptKind.BOUNCED_SOFT,
    }
    AFTER_THE_ID = re.compile(r"\.(filter|recvd)")

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        if raw.get("event") == "dropped" and "spam" in _text(raw.get("reason")).lower():
            return ReceiptKind.BLOCKED  # they complained before, or a filter of the account's own
        if raw.get("event") != "bounce":
            return None
        if raw.get("type") == "blocked":
            return ReceiptKind.BLOCKED
        return self.CLASSIFICATIONS.get(_text(raw.get("bounce_classification")))

    def is_bot(self, raw: Mapping[str, Any]) -> bool:
        return bool(raw.get("sg_machine_open"))

    def provider_id(self, event: AnymailTrackingEvent, raw: Mapping[str, Any]) -> str:
        """Return the X-Message-Id of its response; the rest is internal routing."""
        return self.AFTER_THE_ID.split(_text(raw.get("sg_message_id")))[0]


class SparkPost(Dialect):
    """https://support.sparkpost.com/docs/deliverability/bounce-classification-codes"""

    CLASSES = {
        **dict.fromkeys(("1", "20", "21", "22", "23", "24", "40", "70"), ReceiptKind.BOUNCED_SOFT),
        **dict.fromkeys(("25", "26", "50", "51", "52", "53", "54"), ReceiptKind.BLOCKED),
    }

    def record(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        return _mapping(next(iter(_mapping(raw.get("msys")).values()), None))

    def kind(self, raw: Mapping[str, Any]) -> ReceiptKind | None:
        if raw.get("type") not in {"bounce", "out_of_band"}:
            return None
        return self.CLASSES.get(_text(raw.get("bounce_class")))

    def is_bot(self, raw: Mapping[str, Any]) -> bool:
        return raw.get("is_prefetched") in {True, "true"}


def normalised(event: AnymailTrackingEvent, dialect: Dialect) -> ReceiptEvent:
    """Return the event as a receipt; any value that should be text becomes text."""
    raw = dialect.record(_mapping(event.esp_event))
    machine = dialect.is_bot(raw)
    return ReceiptEvent(
        _kind(event, dialect, raw),
        event_id=_event_id(event, machine=machine),
        key=_key(event) or dialect.key(raw),
        provider_id=dialect.provider_id(event, raw),
        address=_text(event.recipient),
        at=event.timestamp and event.timestamp.replace(tzinfo=event.timestamp.tzinfo or UTC),
        detail=_text(event.mta_response or event.description or event.reject_reason),
        link=_text(event.click_url),
        machine=machine,
        user_agent=_text(event.user_agent),
    )


def _key(event: AnymailTrackingEvent) -> str:
    """Return our key of the message, from the metadata or our Message-ID."""
    if key := _text(_mapping(event.metadata).get(KEY)):
        return key
    return key_in(event.message_id)


def key_in(message_id: object) -> str:
    """Return our key in a Message-ID, empty text for one of others."""
    ours = OUR_MESSAGE_ID.fullmatch(_text(message_id))
    return ours["key"] if ours and ids.decode("msg", ours["key"]) is not None else ""


def _kind(event: AnymailTrackingEvent, dialect: Dialect, raw: Mapping[str, Any]) -> ReceiptKind:
    if said := dialect.kind(raw):
        return said
    if event.event_type == EventType.BOUNCED:
        return _kind_of_bounce(event, raw)
    if event.event_type == EventType.REJECTED:
        return REJECTIONS.get(event.reject_reason, ReceiptKind.FAILED)
    return KINDS.get(event.event_type, ReceiptKind.UNKNOWN)


def _kind_of_bounce(event: AnymailTrackingEvent, raw: Mapping[str, Any]) -> ReceiptKind:
    """Return the kind that the provider's reason names, else that of the reply that it quotes."""
    if event.reject_reason in BOUNCES:
        return BOUNCES[event.reject_reason]
    kind = kind_of_report(_text(event.mta_response), _status(raw))
    is_invalid = event.reject_reason == RejectReason.INVALID
    return ReceiptKind.BOUNCED_HARD if is_invalid and kind == ReceiptKind.FAILED else kind


def _status(raw: Mapping[str, Any]) -> str:
    status = raw.get("status") or _mapping(raw.get("delivery-status")).get("enhanced-code")
    return _text(status)


def _event_id(event: AnymailTrackingEvent, *, machine: bool) -> str:
    """Return an id that repeats with each report of one event; Mailgun's own id is new with each attempt."""
    what = [event.event_type, event.message_id, event.recipient, event.click_url]
    when = event.timestamp.isoformat() if event.timestamp else event.event_id
    return hashlib.sha256(json.dumps([*what, when, machine]).encode()).hexdigest()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return "" if value is None else str(value)
