"""Send SMS and WhatsApp messages by Twilio's SDK.

Source: https://www.twilio.com/docs/messaging/api/message-resource, https://www.twilio.com/docs/usage/security (signatures),
https://www.twilio.com/docs/api/errors (codes), https://www.twilio.com/docs/messaging/guides/webhook-request (replies),
https://www.twilio.com/docs/content (WhatsApp templates).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import (
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from twilio.rest import Client

from crm.outbound.session import Session
from customers.models import consent
from marketing.channels.base import (
    Account,
    AccountError,
    Connection,
    Message,
    PermanentError,
    Provider,
    Receipt,
    Setting,
    TransientError,
)
from marketing.channels.http import as_send_errors, refused, retry_after
from marketing.channels.receipts import BadSignature, ReceiptEvent, ReceiptKind
from marketing.channels.replies import read_reply

API = "https://api.twilio.com"
LONGEST = 1_600
LONGEST_QUOTE = 100
WHATSAPP = "whatsapp:"
BODY_HASH = "bodySHA256"
BAD_NUMBER = frozenset({21211, 21214, 21217, 21614, 21635})
BAD_ACCOUNT = frozenset(
    {20003, 20005, 20404, 21212, 21603, 21606, 21608, 21659, 21660, 21661, 21703, 21704, 21705, 30002, 30032, 30034, 63007, 63015}
    | {63016, 63020, 63038, 63041, 63042, 63051}
)  # fmt: skip
"""Credentials, an account or service that is none or closed, a sender without the rights, the day's quota, WhatsApp's templates."""
BUSY = frozenset({14107, 20429, 21611, 30001, 30022, 63018})
"""Too many messages at a time: later they get through."""
OF_ONE_MESSAGE = frozenset({21408, 21612, 21617})
"""A country or carrier that the sender does not reach, and a text that is too long."""
REPLIED_STOP = 21610
SERVICE = r"MG\w+"
NUMBER = r"\+[1-9]\d{6,14}"
SENDERS = {
    consent.Channel.SMS: re.compile(
        rf"{SERVICE}|{NUMBER}|\d{{3,8}}|(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{{1,11}}"
    ),
    consent.Channel.WHATSAPP: re.compile(rf"{SERVICE}|{NUMBER}"),
}
"""A messaging service, a number in E.164, a short code, or letters (https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id)."""
HOW_IT_ENDED = {
    "delivered": ReceiptKind.DELIVERED,
    "read": ReceiptKind.OPENED,
    "undelivered": ReceiptKind.BOUNCED_SOFT,
    "failed": ReceiptKind.FAILED,
    "canceled": ReceiptKind.FAILED,
}
ON_ITS_WAY = frozenset({"accepted", "scheduled", "queued", "sending", "sent"})
REPLIES = frozenset({"", "receiving", "received"})
WHY = {
    "21610": ReceiptKind.UNSUBSCRIBED,
    **dict.fromkeys(map(str, BAD_ACCOUNT), ReceiptKind.ACCOUNT),
    "30003": ReceiptKind.BOUNCED_SOFT,  # handset off or out of reach
    "30004": ReceiptKind.BLOCKED,
    "30005": ReceiptKind.BOUNCED_HARD,  # unknown number
    "30006": ReceiptKind.BOUNCED_SOFT,  # a landline, or a carrier that the sender's short code does not reach
    "30007": ReceiptKind.BLOCKED,  # filtered by the carrier
    "30008": ReceiptKind.BOUNCED_SOFT,
    "63003": ReceiptKind.BOUNCED_HARD,  # not on WhatsApp
    "63024": ReceiptKind.BOUNCED_HARD,
    "63032": ReceiptKind.BLOCKED,
}
"""Twilio's error codes that say more than the status."""

OPT_OUT_TYPES = {
    "STOP": ReceiptKind.UNSUBSCRIBED,
    "START": ReceiptKind.SUBSCRIBED,
    "HELP": None,
}
"""Meanings that Twilio gives to a reply where keywords are configured there (https://help.twilio.com/articles/360034798533)."""


class Twilio(Provider):
    name = "twilio"
    label = _("Twilio")
    serves = frozenset({consent.Channel.SMS, consent.Channel.WHATSAPP})
    reports_delivery = True
    settings = (
        Setting("account_sid", _("Account SID")),
        Setting("auth_token", _("Auth token"), secret=True),
        Setting(
            "content_sid",
            _("WhatsApp template"),
            required=False,
            help=_(
                "The SID (HX…) of an approved template whose variable 1 is the message. WhatsApp delivers nothing else to people who have "
                "not written to you within 24 hours."
            ),
        ),
        Setting(
            "api_url",
            _("API address"),
            required=False,
            help=_("Only for a provider that speaks Twilio's API."),
            is_target=True,
        ),
    )

    def validate(self, sender: Account) -> dict[str, str]:
        problems = super().validate(sender)
        senders = SENDERS.get(consent.Channel(sender.channel))
        if senders and not senders.fullmatch(sender.from_address):
            problems["from_address"] = str(
                _("Enter a number such as +4930123456, or the SID of a messaging service (MG…).")
            )
        if sender.channel == consent.Channel.WHATSAPP and not sender.setting("content_sid"):
            problems["content_sid"] = str(
                _("Enter the SID of a template: WhatsApp delivers campaigns as templates alone.")
            )
        return problems

    def remarks(self, message: Message) -> list[str]:
        if len(message.text) <= LONGEST:
            return []
        return [
            str(_("%(length)s characters; Twilio takes %(most)s."))
            % {"length": len(message.text), "most": LONGEST}
        ]

    def connect(self, sender: Account) -> TwilioConnection:
        return TwilioConnection(sender)

    def receipts(self, sender: Account, request: HttpRequest) -> list[ReceiptEvent]:
        posted = _posted(request)
        _check_signature(sender, request, posted)
        status = posted.get("MessageStatus") or posted.get("SmsStatus", "")
        if status in REPLIES:
            return _of_a_reply(sender, posted)
        if status in ON_ITS_WAY:
            return []
        sid, code = posted.get("MessageSid") or posted.get("SmsSid", ""), posted.get("ErrorCode")
        return [
            ReceiptEvent(
                WHY.get(code or "") or HOW_IT_ENDED.get(status, ReceiptKind.UNKNOWN),
                event_id=f"{sid}:{status}",
                key=request.GET.get("message", ""),
                provider_id=sid,
                address=_bare(posted.get("To", "")),
                detail=f"{status} {code}" if code else status,
            )
        ]


class TwilioConnection(Connection):
    def __init__(self, sender: Account) -> None:
        self._sender = sender
        token = sender.setting("auth_token")
        self._http = _Http(
            Session("twilio", account=sender.public_id, secrets=[token]),
            sender.setting("api_url") or API,
        )
        self._client = Client(sender.setting("account_sid"), token, http_client=self._http)

    def send(self, message: Message) -> Receipt:
        try:
            with as_send_errors():
                sent = self._client.messages.create(
                    to=self._number(message.to_address),
                    **self._content(message),
                    **self._from(message),
                    **self._callback(message),
                )
        except TwilioRestException as error:
            if error.code == REPLIED_STOP:
                raise PermanentError(
                    f"{error.code}: {error.msg}", kind=ReceiptKind.UNSUBSCRIBED
                ) from error
            text, bad = f"{error.code}: {error.msg}", error.code in BAD_NUMBER
            if error.code in BAD_ACCOUNT:
                raise AccountError(text) from error
            if error.code in BUSY:
                raise TransientError(text, retry_after=retry_after(self._http.headers)) from error
            if error.code in OF_ONE_MESSAGE:
                raise PermanentError(text) from error
            raise refused(error.status, text, self._http.headers, bad=bad) from error
        return Receipt(provider_id=str(sent.sid))

    def close(self) -> None:
        self._http.session.close()

    def _content(self, message: Message) -> dict[str, str]:
        """Return the text, or the template that WhatsApp wants; its variables are one line each."""
        template = self._sender.setting("content_sid")
        if not template or self._sender.channel != consent.Channel.WHATSAPP:
            return {"body": message.text}
        variables = {"1": " ".join(message.text.split())}
        return {
            "content_sid": template,
            "content_variables": json.dumps(variables, ensure_ascii=False),
        }

    def _from(self, message: Message) -> dict[str, str]:
        if message.from_address.startswith("MG"):
            return {"messaging_service_sid": message.from_address}
        return {"from_": self._prefixed(message.from_address)}

    def _callback(self, message: Message) -> dict[str, str]:
        """Return the callback, or none for a local site: Twilio refuses messages whose callback it cannot reach."""
        if not settings.SITE_URL.startswith("https:"):
            return {}
        query = urlencode({"message": message.key})
        return {"status_callback": f"{self._sender.receipts_url}?{query}"}

    def _number(self, number: str) -> str:
        if not number.startswith("+"):
            raise PermanentError(f"Not a number for messages: {number}", address_is_bad=True)
        return self._prefixed(number)

    def _prefixed(self, number: str) -> str:
        return f"{WHATSAPP}{number}" if self._sender.channel == consent.Channel.WHATSAPP else number


class _Http(TwilioHttpClient):
    """The HTTP client of the SDK, through our outbound session."""

    def __init__(self, session: Session, api_url: str) -> None:
        super().__init__()
        self.session: requests.Session = session
        self.headers: dict[str, str] = {}
        self._api_url = api_url.rstrip("/")

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        response = super().request(method, url.replace(API, self._api_url, 1), *args, **kwargs)
        self.headers = response.headers
        return response


def _posted(request: HttpRequest) -> Mapping[str, str]:
    """Return the parameters of a form or of JSON, whose hash in the address is signed. Raises ValueError for other bodies."""
    if BODY_HASH not in request.GET:
        return request.POST
    posted = json.loads(request.body)
    if not isinstance(posted, dict):
        raise ValueError("The body is no JSON object.")
    return {name: str(value) for name, value in posted.items()}


def _check_signature(sender: Account, request: HttpRequest, posted: Mapping[str, str]) -> None:
    """Check the signature of the address, which may end in a slash or not."""
    validator = RequestValidator(sender.setting("auth_token"))
    signature = request.headers.get("X-Twilio-Signature", "")
    algorithm = get_signature_algorithm(request.headers.get(SIGNATURE_SETTINGS_HEADER))
    query = f"?{request.META['QUERY_STRING']}" if request.META.get("QUERY_STRING") else ""
    signed = posted if posted is request.POST else request.body.decode()
    paths = (request.path, request.path.rstrip("/"))
    if not any(
        validator.validate(f"{settings.SITE_URL}{path}{query}", signed, signature, algorithm)
        for path in paths
    ):
        raise BadSignature


def _of_a_reply(sender: Account, posted: Mapping[str, str]) -> list[ReceiptEvent]:
    """Return the receipts of a reply that is or may be an opt-out or opt-in, for the sender of its channel."""
    written_by, text = posted.get("From", ""), posted.get("Body", "").strip()
    if written_by.startswith(WHATSAPP) != (sender.channel == consent.Channel.WHATSAPP):
        return []
    by_twilio = posted.get("OptOutType", "").upper()
    wish = OPT_OUT_TYPES[by_twilio] if by_twilio in OPT_OUT_TYPES else read_reply(text)
    if wish is None:
        return []
    is_unclear = wish == ReceiptKind.UNCLEAR_REPLY
    return [
        ReceiptEvent(
            wish,
            event_id=f"{posted.get('MessageSid', '')}:{wish}",
            address=_bare(written_by),
            detail="" if is_unclear else f"Replied {(text or by_twilio)[:LONGEST_QUOTE]}",
            text=text,
        )
    ]


def _bare(number: str) -> str:
    return number.removeprefix(WHATSAPP)
