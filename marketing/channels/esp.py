"""E-mail by the HTTP API of an e-mail service provider, through django-anymail.

Its backends send, its views check and read webhooks, which esp_events.py translates into our vocabulary. Each sender has instances of its
own, so anymail's own settings and signals are not used.
"""

from __future__ import annotations

import json
import logging
import re
import time
import warnings
from base64 import b64decode
from collections.abc import Iterable, Mapping
from contextlib import suppress
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
from anymail.signals import AnymailTrackingEvent
from anymail.utils import parse_address_list
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from crm.outbound.session import Session
from customers.models import consent
from marketing.channels import esp_events
from marketing.channels.base import (
    Account,
    AccountError,
    Connection,
    Message,
    PermanentError,
    Provider,
    Receipt,
    SendError,
    Setting,
    UncertainError,
)
from marketing.channels.esp_events import KEY, ON_ITS_WAY, Dialect, normalised
from marketing.channels.http import API_REFUSED, lost, refused
from marketing.channels.mime import ascii_address, message_id, sender_address
from marketing.channels.receipts import BadSignature, ReceiptEvent, ReceiptKind
from marketing.channels.webhook import signature

TOLERANCE = 300
"""How many seconds a signature may be older or younger than we are."""

API_URL = Setting(
    "api_url",
    _("API address"),
    required=False,
    help=_("Only where it is not the usual one."),
    is_target=True,
)
BASIC_AUTH = Setting(
    "webhook_secret",
    _("Webhook user and password"),
    secret=True,
    required=False,
    help=_("user:password, as you put it before the host of the webhook's address."),
)


UNREADABLE = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    OSError,
    AnymailError,
)
"""Exceptions that anymail's views raise for an event in another format."""

API_KEY = Setting("api_key", _("API key"), secret=True)
WEBHOOK_SETTINGS = frozenset(
    {
        BASIC_AUTH.name,
        "signing_secret",
        "tracking_secret",
        "tracking_webhook_verification_key",
        "webhook_key",
        "webhook_signing_key",
    }
)
"""Settings of webhooks, unknown to anymail's sending backends."""


_PEM_MARK = re.compile("-----[A-Z ]+-----")

logger = logging.getLogger(__name__)


class _Part:
    """A request as anymail's views read it, with one event of a batch."""

    def __init__(self, request: HttpRequest, **replaced: Any) -> None:
        self._request = request
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


class Esp(Provider):
    """A provider of anymail.

    `module` is its name there, `view` that of the class for webhooks, `dialect` its own words, `fixed` further options of the backend.
    Without the setting `checked_by` nothing that claims to be from the provider is believed.
    """

    serves = frozenset({consent.Channel.EMAIL})
    reports_delivery = True
    module: ClassVar[str]
    view: ClassVar[str]
    checked_by: ClassVar[str] = BASIC_AUTH.name
    dialect: ClassVar[Dialect] = Dialect()
    fixed: ClassVar[Mapping[str, Any]] = {}

    def connect(self, sender: Account) -> EspConnection:
        names = {each.name for each in self.settings} - WEBHOOK_SETTINGS
        backend = import_module(f"anymail.backends.{self.module}").EmailBackend(
            ignore_unsupported_features=True, **self.fixed, **self._options(sender, names)
        )
        secrets = [sender.setting(each.name) for each in self.settings if each.secret]
        backend.session = Session(self.name, account=sender.public_id, secrets=secrets)
        return EspConnection(backend, self.dialect)

    def receipts(self, sender: Account, request: HttpRequest) -> list[ReceiptEvent]:
        """Return the receipts in the request; events that cannot be read are logged, and cost the others nothing.

        Raises BadSignature, and ValueError where no event can be read.
        """
        try:
            view = self._checked(sender, request)
            parts = self._parts(request)
        except AnymailWebhookValidationFailure as error:
            raise BadSignature from error
        except UNREADABLE as error:
            raise ValueError(str(error)) from error
        receipts: list[ReceiptEvent] = []
        unreadable, was_read = None, False
        for part in parts:
            try:
                events = self._events(view, part)
                receipts += [
                    normalised(each, self.dialect)
                    for each in events
                    if each.event_type not in ON_ITS_WAY
                ]
                was_read = True
            except UNREADABLE as error:
                unreadable = error
                logger.warning(
                    "%s sent an event that cannot be read: %s",
                    sender.public_id,
                    type(error).__name__,
                )
        if unreadable and not was_read:
            raise ValueError(str(unreadable)) from unreadable
        return receipts

    def _parts(self, request: HttpRequest) -> Iterable[Any]:
        """Return the request, or one request for each event of a batch."""
        try:
            batch = json.loads(request.body)
        except ValueError:
            return [request]
        if not isinstance(batch, list):
            return [request]
        return [_Part(request, body=json.dumps([event]).encode()) for event in batch]

    def _checked(self, sender: Account, request: HttpRequest) -> Any:
        """Return anymail's view to read the request with. Raises BadSignature, or anymail's own exception."""
        if not sender.setting(self.checked_by):
            raise BadSignature
        view = self._view(sender)
        view.run_validators(request)
        return view

    def _events(self, view: Any, request: Any) -> list[AnymailTrackingEvent]:
        return list(view.parse_events(request))

    def _view(self, sender: Account) -> Any:
        view = getattr(import_module(f"anymail.webhooks.{self.module}"), self.view)
        options = self._options(sender, {self.checked_by})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return view(**options)
            except ValueError as error:  # a key that is none
                raise BadSignature from error

    def _options(self, sender: Account, names: Iterable[str]) -> dict[str, str]:
        return {name: value for name in names if (value := sender.setting(name))}


class EspConnection(Connection):
    def __init__(self, backend: Any, dialect: Dialect) -> None:
        self._backend, self._dialect = backend, dialect

    def send(self, message: Message) -> Receipt:
        mail = _mail(message)
        try:
            self._backend.send_messages([mail])
        except AnymailError as error:
            raise _send_error(error, mail, self._dialect) from error
        answer = mail.anymail_status.esp_response
        if not answer.ok:  # some backends read a refusal as a status of the recipient
            raise _refused(answer)
        named = mail.anymail_status.message_id or answer.headers.get("X-Message-Id")
        return Receipt(provider_id=str(named or message.key))

    def close(self) -> None:
        self._backend.close()


class Brevo(Esp):
    name = module = "brevo"
    label = "Brevo"
    view = "BrevoTrackingWebhookView"
    settings = (API_KEY, BASIC_AUTH, API_URL)
    dialect = esp_events.Brevo()

    def _events(self, view: Any, request: Any) -> list[AnymailTrackingEvent]:
        """Yield the events of a webhook; a header X-Mailin-custom that is not ours is no metadata."""
        posted = json.loads(request.body)
        return [
            view.esp_to_anymail_event(_without_others_header(each))
            for each in (posted if isinstance(posted, list) else [posted])
        ]


class Mailgun(Esp):
    name = module = "mailgun"
    label = "Mailgun"
    view = "MailgunTrackingWebhookView"
    dialect = esp_events.Mailgun()
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
    dialect = esp_events.MailerSend()
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
    dialect = esp_events.Mailjet()
    settings = (API_KEY, Setting("secret_key", _("Secret key"), secret=True), BASIC_AUTH, API_URL)


class Mailtrap(Esp):
    name = module = "mailtrap"
    label = "Mailtrap"
    view = "MailtrapTrackingWebhookView"
    dialect = esp_events.Mailtrap()
    checked_by = "tracking_secret"
    settings = (
        Setting("api_token", _("API token"), secret=True),
        Setting(checked_by, _("Webhook signature key"), secret=True, required=False),
        API_URL,
    )

    def _parts(self, request: HttpRequest) -> Iterable[Any]:
        events = json.loads(request.body)["events"]
        return [_Part(request, body=json.dumps({"events": [event]}).encode()) for event in events]


class Mandrill(Esp):
    name = module = "mandrill"
    label = "Mandrill (Mailchimp Transactional)"
    view = "MandrillCombinedWebhookView"
    dialect = esp_events.Mandrill()
    checked_by = "webhook_key"
    settings = (
        API_KEY,
        Setting(checked_by, _("Webhook key"), secret=True, required=False),
        API_URL,
    )

    def _checked(self, sender: Account, request: HttpRequest) -> Any:
        """Check the signature, of the webhook's address with a slash at its end or without."""
        if not sender.setting(self.checked_by):
            raise BadSignature
        view = self._view(sender)
        for path in (request.path, request.path.rstrip("/")):
            view.webhook_url = f"{settings.SITE_URL}{path}"
            with suppress(AnymailWebhookValidationFailure):
                view.run_validators(request)
                return view
        raise BadSignature

    def _parts(self, request: HttpRequest) -> Iterable[Any]:
        events = json.loads(request.POST["mandrill_events"])
        return [_Part(request, POST={"mandrill_events": json.dumps([event])}) for event in events]


class Postal(Esp):
    """A Postal server of one's own, whose address is its API address."""

    name = module = "postal"
    label = "Postal"
    view = "PostalTrackingWebhookView"
    dialect = esp_events.Postal()
    checked_by = "webhook_key"
    settings = (
        API_KEY,
        Setting(
            "api_url",
            _("API address"),
            help=_("Of your server: https://postal.example.com."),
            is_target=True,
        ),
        Setting(
            checked_by,
            _("Webhook public key"),
            required=False,
            help=_("The part p= of the DKIM record that `postal default-dkim-record` prints."),
        ),
    )

    def _checked(self, sender: Account, request: HttpRequest) -> Any:
        """Check the RSA signature, by SHA-256 where the server sends one, else by SHA-1.

        Source: https://docs.postalserver.io/developer/webhooks, app/lib/postal/signer.rb
        """
        by_sha256 = request.headers.get("X-Postal-Signature-256")
        given = by_sha256 or request.headers.get("X-Postal-Signature", "")
        algorithm = hashes.SHA256() if by_sha256 else hashes.SHA1()  # noqa: S303  # nosec B303
        try:
            key = _public_key(sender.setting(self.checked_by))
            key.verify(b64decode(given, validate=True), request.body, PKCS1v15(), algorithm)
        except (ValueError, TypeError, AttributeError, InvalidSignature) as error:
            raise BadSignature from error
        return self._view(sender)


class Postmark(Esp):
    name = module = "postmark"
    label = "Postmark"
    view = "PostmarkTrackingWebhookView"
    dialect = esp_events.Postmark()
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
    dialect = esp_events.Resend()
    settings = (
        API_KEY,
        Setting("signing_secret", _("Webhook signing secret"), secret=True, required=False),
        BASIC_AUTH,
        API_URL,
    )

    def _checked(self, sender: Account, request: HttpRequest) -> Any:
        """Check the signature where the secret is known, else user and password."""
        secret = sender.setting("signing_secret")
        if not secret:
            return super()._checked(sender, request)
        if not _signed_by_svix(secret, request):
            raise BadSignature
        return self._view(sender)


class SendGrid(Esp):
    name = module = "sendgrid"
    label = "SendGrid"
    view = "SendGridTrackingWebhookView"
    dialect = esp_events.SendGrid()
    fixed = {"generate_message_id": False}  # it answers with one
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
    dialect = esp_events.SparkPost()
    settings = (API_KEY, BASIC_AUTH, API_URL)


def _refused(answer: requests.Response) -> SendError:
    """Return the error of an answer, which is an error of the request where its status says that all is well."""
    status = 400 if answer.ok else answer.status_code
    return refused(status, answer.text, answer.headers, of_account=API_REFUSED)


def _says_error(answer: requests.Response) -> bool:
    """Return whether an answer of status 200 says that the message was not taken, as Postal's do."""
    try:
        said = answer.json()
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("status") in {"error", "parameter-error"}


def _refused_recipient(mail: AnymailMessage, dialect: Dialect) -> SendError:
    """Return the error of a message that the provider did not take for its recipient, or says so because of the sender."""
    kind = dialect.refusal(mail.anymail_status.esp_response)
    if kind == ReceiptKind.ACCOUNT:
        return AccountError(
            f"The provider refused the sender: {mail.anymail_status.esp_response.text[:300]}"
        )
    is_bad = "invalid" in (mail.anymail_status.status or set())
    told = "The provider refused the recipient."
    return PermanentError(told, address_is_bad=is_bad, kind=kind or ReceiptKind.FAILED)


def _public_key(text: str) -> Any:
    """Return the RSA key of a PEM, a DKIM record or its p= part. Raises ValueError, also for any other key."""
    is_record = "p=" in text and "-----" not in text
    body = text.partition("p=")[2].partition(";")[0] if is_record else _PEM_MARK.sub("", text)
    key = load_der_public_key(b64decode("".join(body.split())))
    if not isinstance(key, RSAPublicKey):
        raise ValueError("The webhook key is no RSA key.")
    return key


def _without_others_header(posted: Any) -> Any:
    try:
        json.loads(posted.get("X-Mailin-custom") or "{}")
    except ValueError:
        return {**posted, "X-Mailin-custom": "{}"}
    return posted


def _signed_by_svix(secret: str, request: HttpRequest) -> bool:
    """Return whether the request is signed as Standard Webhooks are, within TOLERANCE.

    Source: https://docs.svix.com/receiving/verifying-payloads/how-manual
    """
    headers = request.headers
    try:
        at = int(float(headers.get("svix-timestamp", "")))
    except (ValueError, OverflowError):
        return False
    if abs(time.time() - at) > TOLERANCE:
        return False
    ours = signature(secret, headers.get("svix-id", ""), at, request.body)
    return any(
        constant_time_compare(ours, each) for each in headers.get("svix-signature", "").split()
    )


def _mail(message: Message) -> AnymailMessage:
    mail = AnymailMessage(
        subject=" ".join(message.subject.split()),
        body=message.text,
        from_email=formataddr(
            (" ".join(message.from_name.split()), sender_address(message.from_address))
        ),
        to=[formataddr((" ".join(message.to_name.split()), ascii_address(message.to_address)))],
        reply_to=[sender_address(message.reply_to)] if message.reply_to else None,
        headers={"Message-ID": message_id(message), **message.headers},
        metadata={KEY: message.key},
        track_opens=False,  # our own links do that
        track_clicks=False,
    )
    mail.attach_alternative(message.html, "text/html")
    return mail


def _invalid_address(error: AnymailInvalidAddress, mail: AnymailMessage) -> SendError:
    """Return the error of the address that anymail cannot read: the recipient's, or one of the sender's."""
    try:
        parse_address_list(mail.to, field="to")
    except AnymailInvalidAddress:
        return PermanentError(str(error.args[0]), address_is_bad=True)
    return AccountError(str(error.args[0]))


def _send_error(error: AnymailError, mail: AnymailMessage, dialect: Dialect) -> SendError:
    if isinstance(error, AnymailInvalidAddress):
        return _invalid_address(error, mail)
    if isinstance(error, AnymailRecipientsRefused):
        return _refused_recipient(mail, dialect)
    if not isinstance(error, AnymailRequestsAPIError):
        return PermanentError(str(error.args[0]) if error.args else type(error).__name__)
    response = error.response
    if response is not None and (not response.ok or _says_error(response)):
        return _refused(response)
    if isinstance(error.__cause__, requests.RequestException):
        return lost(error.__cause__)
    return UncertainError("The provider's answer cannot be read.")
