"""E-mail by the HTTP API of an e-mail service provider, through django-anymail: its backends send, its webhook views check and read
what the provider tells. Both are made anew for each sender, so anymail's own settings and signals are not used.

Source: https://anymail.dev/en/stable/sending/tracking/
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from email.utils import formataddr
from importlib import import_module
from typing import Any, ClassVar

import requests
from anymail.exceptions import (
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
    AnymailWebhookValidationFailure,
)
from anymail.message import AnymailMessage
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm.outbound.session import Session
from customers.models import consent
from marketing.channels.base import (
    Account,
    Channel,
    Connection,
    Message,
    PermanentError,
    Receipt,
    SendError,
    Setting,
    UncertainError,
)
from marketing.channels.http import lost, refused
from marketing.channels.mime import message_id
from marketing.channels.receipts import BadSignature, Kind, ReceiptEvent

KEY = "message"
"""The metadata under which a provider hands our name for a message back."""

ENHANCED_CODE = re.compile(r"\b([45])\.(\d{1,3})\.(\d{1,3})\b")
MAILBOX_FULL = ("2", "2")

KINDS = {
    EventType.DELIVERED: Kind.DELIVERED,
    EventType.COMPLAINED: Kind.COMPLAINED,
    EventType.OPENED: Kind.OPENED,
    EventType.CLICKED: Kind.CLICKED,
    EventType.UNSUBSCRIBED: Kind.UNSUBSCRIBED,
    EventType.FAILED: Kind.FAILED,
}
REJECTIONS = {
    RejectReason.INVALID: Kind.BOUNCED_HARD,
    RejectReason.BOUNCED: Kind.BOUNCED_HARD,
    RejectReason.TIMED_OUT: Kind.BOUNCED_SOFT,
    RejectReason.BLOCKED: Kind.BLOCKED,
    RejectReason.SPAM: Kind.BLOCKED,
    RejectReason.UNSUBSCRIBED: Kind.UNSUBSCRIBED,
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
API_URL = Setting(
    "api_url", _("API address"), required=False, help=_("Only where it is not the usual one.")
)
BASIC_AUTH = Setting(
    "webhook_secret",
    _("Webhook user and password"),
    secret=True,
    required=False,
    help=_("user:password, as you put it before the host of the webhook's address."),
)


API_KEY = Setting("api_key", _("API key"), secret=True)


class Esp(Channel):
    """A provider that anymail knows: `module` is its name there, `view` that of the class for webhooks.

    Without one of the settings in `checked_by` nothing that claims to be from the provider is believed.
    """

    serves = frozenset({consent.Channel.EMAIL})
    reports_delivery = True
    module: ClassVar[str]
    view: ClassVar[str]
    checked_by: ClassVar[str] = BASIC_AUTH.name

    def connect(self, sender: Account) -> EspConnection:
        options = self._options(sender, for_webhooks=False)
        backend = import_module(f"anymail.backends.{self.module}").EmailBackend(
            ignore_unsupported_features=True, **options
        )
        secrets = [sender.setting(each.name) for each in self.settings if each.secret]
        backend.session = Session(self.name, account=sender.public_id, secrets=secrets)
        return EspConnection(backend)

    def receipts(self, sender: Account, request: HttpRequest) -> list[ReceiptEvent]:
        if not sender.setting(self.checked_by):
            raise BadSignature
        view = self._view(sender)
        try:
            view.run_validators(request)
            events = view.parse_events(request)
        except AnymailWebhookValidationFailure as error:
            raise BadSignature from error
        except (KeyError, TypeError, AttributeError, AnymailError) as error:
            raise ValueError(str(error)) from error
        return [_normalised(each) for each in events if each.event_type not in ON_ITS_WAY]

    def _view(self, sender: Account) -> Any:
        view = getattr(import_module(f"anymail.webhooks.{self.module}"), self.view)
        options = self._options(sender, for_webhooks=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return view(**options)
            except ValueError as error:  # a key that is none
                raise BadSignature from error

    def _options(self, sender: Account, *, for_webhooks: bool) -> dict[str, str]:
        names = [each.name for each in self.settings]
        wanted = [name for name in names if (name == self.checked_by) == for_webhooks]
        return {name: value for name in wanted if (value := sender.setting(name))}


class EspConnection(Connection):
    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def send(self, message: Message) -> Receipt:
        mail = _mail(message)
        try:
            self._backend.send_messages([mail])
        except AnymailError as error:
            raise _send_error(error, mail) from error
        answer = mail.anymail_status.esp_response
        if not answer.ok:  # some backends read a refusal as a status of the recipient
            raise refused(answer.status_code, answer.text, answer.headers)
        return Receipt(provider_id=str(mail.anymail_status.message_id or message.key))

    def close(self) -> None:
        self._backend.close()


class Brevo(Esp):
    name = module = "brevo"
    label = "Brevo"
    view = "BrevoTrackingWebhookView"
    settings = (API_KEY, BASIC_AUTH, API_URL)


class Mailgun(Esp):
    name = module = "mailgun"
    label = "Mailgun"
    view = "MailgunTrackingWebhookView"
    checked_by = "webhook_signing_key"
    settings = (
        API_KEY,
        Setting("sender_domain", _("Domain"), required=False),
        Setting(checked_by, _("Webhook signing key"), secret=True, required=False),
        API_URL,
    )


class MailerSend(Esp):
    name = module = "mailersend"
    label = "MailerSend"
    view = "MailerSendTrackingWebhookView"
    checked_by = "signing_secret"
    settings = (
        Setting("api_token", _("API token"), secret=True),
        Setting(checked_by, _("Webhook signing secret"), secret=True, required=False),
        API_URL,
    )


class Mailjet(Esp):
    name = module = "mailjet"
    label = "Mailjet"
    view = "MailjetTrackingWebhookView"
    settings = (API_KEY, Setting("secret_key", _("Secret key"), secret=True), BASIC_AUTH, API_URL)


class Postmark(Esp):
    name = module = "postmark"
    label = "Postmark"
    view = "PostmarkTrackingWebhookView"
    settings = (
        Setting("server_token", _("Server token"), secret=True),
        Setting("message_stream", _("Message stream"), required=False),
        BASIC_AUTH,
        API_URL,
    )


class Resend(Esp):
    name = module = "resend"
    label = "Resend"
    view = "ResendTrackingWebhookView"
    settings = (API_KEY, BASIC_AUTH, API_URL)


class SendGrid(Esp):
    name = module = "sendgrid"
    label = "SendGrid"
    view = "SendGridTrackingWebhookView"
    checked_by = "tracking_webhook_verification_key"
    settings = (
        API_KEY,
        Setting(checked_by, _("Webhook verification key"), required=False),
        API_URL,
    )


class SparkPost(Esp):
    name = module = "sparkpost"
    label = "SparkPost"
    view = "SparkPostTrackingWebhookView"
    settings = (API_KEY, BASIC_AUTH, API_URL)


def _mail(message: Message) -> AnymailMessage:
    mail = AnymailMessage(
        subject=" ".join(message.subject.split()),
        body=message.text,
        from_email=formataddr((" ".join(message.from_name.split()), message.from_address)),
        to=[formataddr((" ".join(message.to_name.split()), message.to_address))],
        reply_to=[message.reply_to] if message.reply_to else None,
        headers={"Message-ID": message_id(message), **message.headers},
        metadata={KEY: message.key},
        track_opens=False,  # our own links do that
        track_clicks=False,
    )
    mail.attach_alternative(message.html, "text/html")
    return mail


def _send_error(error: AnymailError, mail: AnymailMessage) -> SendError:
    if isinstance(error, AnymailInvalidAddress):
        return PermanentError(str(error.args[0]), address_is_bad=True)
    if isinstance(error, AnymailRecipientsRefused):
        status = mail.anymail_status.status or set()
        return PermanentError(
            "The provider refused the recipient.", address_is_bad="invalid" in status
        )
    if not isinstance(error, AnymailRequestsAPIError):
        return PermanentError(str(error.args[0]) if error.args else type(error).__name__)
    response = error.response
    if response is not None and not response.ok:
        return refused(response.status_code, response.text, response.headers)
    if isinstance(error.__cause__, requests.RequestException):
        return lost(error.__cause__)
    return UncertainError("The provider's answer cannot be read.")


def _normalised(event: AnymailTrackingEvent) -> ReceiptEvent:
    return ReceiptEvent(
        _kind(event),
        event_id=_event_id(event),
        key=str((event.metadata or {}).get(KEY, "")),
        provider_id=event.message_id or "",
        address=event.recipient or "",
        at=event.timestamp,
        detail=event.mta_response or event.description or event.reject_reason or "",
        link=event.click_url or "",
        machine=bool(_raw(event).get("sg_machine_open")),
        user_agent=event.user_agent or "",
    )


def _kind(event: AnymailTrackingEvent) -> Kind:
    if event.event_type == EventType.BOUNCED:
        return _kind_of_bounce(event)
    if event.event_type == EventType.REJECTED:
        return REJECTIONS.get(event.reject_reason, Kind.FAILED)
    return KINDS.get(event.event_type, Kind.UNKNOWN)


def _kind_of_bounce(event: AnymailTrackingEvent) -> Kind:
    """Hard, unless the provider's own word for it or the enhanced status code (RFC 3463) says that it is not the address's fault."""
    raw = _raw(event)
    words = " ".join(str(raw.get(name, "")) for name in ("Type", "type", "event", "bounce_type"))
    if "soft" in words.lower() or raw.get("hard_bounce") is False:
        return Kind.BOUNCED_SOFT
    if "block" in words.lower() or event.reject_reason in {RejectReason.BLOCKED, RejectReason.SPAM}:
        return Kind.BLOCKED
    code = ENHANCED_CODE.search(f"{event.mta_response or ''} {raw.get('status', '')}")
    if event.reject_reason == RejectReason.TIMED_OUT or (
        code and (code[1] == "4" or code.groups()[1:] == MAILBOX_FULL)
    ):
        return Kind.BOUNCED_SOFT
    return Kind.BLOCKED if code and code[2] == "7" else Kind.BOUNCED_HARD


def _event_id(event: AnymailTrackingEvent) -> str:
    """The same for each telling of one thing. A provider's own id is not always: Mailgun's is new with each attempt."""
    what = [event.event_type, event.message_id, event.recipient, event.click_url]
    when = event.timestamp.isoformat() if event.timestamp else event.event_id
    return hashlib.sha256(json.dumps([*what, when]).encode()).hexdigest()


def _raw(event: AnymailTrackingEvent) -> dict[str, Any]:
    return event.esp_event if isinstance(event.esp_event, dict) else {}
