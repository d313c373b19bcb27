"""E-mail by Amazon SES: its API v2 sends, and Amazon SNS posts what happened to the messages.

Without boto3, which is a hundred megabytes for two requests. Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2 (SendEmail),
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (Signature Version 4),
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html,
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from crm.outbound.session import Session
from customers.models import consent
from marketing.channels.base import (
    Account,
    Connection,
    Message,
    Provider,
    Receipt,
    Setting,
    UncertainError,
)
from marketing.channels.esp_events import KEY, key_in
from marketing.channels.http import API_REFUSED, as_send_errors, refused
from marketing.channels.mime import as_bytes, ascii_address, sender_address
from marketing.channels.receipts import BadSignature, ReceiptEvent, ReceiptKind
from marketing.channels.refusals import kind_of_report

SEND = "/v2/email/outbound-emails"
SNS_HOST = re.compile(r"sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?")
TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+")
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(
        ("SubscriptionConfirmation", "UnsubscribeConfirmation"),
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
"""The parts of a notification that are signed, in this order, by its type."""
HASHES = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303  # nosec B303  # SNS signs by SHA-1 unless the topic says otherwise
KINDS = {
    "Delivery": ReceiptKind.DELIVERED,
    "Open": ReceiptKind.OPENED,
    "Click": ReceiptKind.CLICKED,
    "Reject": ReceiptKind.BLOCKED,  # a virus
    "Rendering Failure": ReceiptKind.FAILED,
}
SOURCE_TAG = re.compile(r"[^A-Za-z0-9_.@-]")

logger = logging.getLogger(__name__)


class AmazonSes(Provider):
    name = "amazon_ses"
    label = "Amazon SES"
    serves = frozenset({consent.Channel.EMAIL})
    reports_delivery = True
    settings = (
        Setting("region", _("Region"), help=_("Such as eu-central-1."), is_target=True),
        Setting("access_key_id", _("Access key id")),
        Setting("secret_access_key", _("Secret access key"), secret=True),
        Setting(
            "configuration_set",
            _("Configuration set"),
            required=False,
            help=_("The one that publishes events to the SNS topic."),
        ),
        Setting(
            "topic_arn",
            _("ARN of the SNS topic"),
            required=False,
            help=_("Receipts of this topic alone are accepted, and its subscription is confirmed."),
        ),
        Setting(
            "api_url",
            _("API address"),
            required=False,
            help=_("Only where it is not the usual one."),
            is_target=True,
        ),
    )

    def validate(self, sender: Account) -> dict[str, str]:
        problems = super().validate(sender)
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", sender.setting("region")):
            problems["region"] = str(_("Enter a region such as eu-central-1."))
        arn = sender.setting("topic_arn")
        if arn and not TOPIC_ARN.fullmatch(arn):
            problems["topic_arn"] = str(
                _("Enter an ARN such as arn:aws:sns:eu-central-1:123456789012:ses.")
            )
        return problems

    def connect(self, sender: Account) -> SesConnection:
        return SesConnection(sender)

    def receipts(self, sender: Account, request: HttpRequest) -> list[ReceiptEvent]:
        """Return the receipts in a notification of the sender's topic; a confirmation of its subscription is answered.

        Raises BadSignature for any other topic or signer, ValueError for a notification that is not of SES, and OSError where Amazon
        cannot be reached.
        """
        posted = _posted(request)
        topic_arn = sender.setting("topic_arn")
        if not topic_arn or posted.get("TopicArn") != topic_arn:
            raise BadSignature
        _check_signature(posted)
        if posted["Type"] == "SubscriptionConfirmation":
            _confirm(sender, posted)
        if posted["Type"] != "Notification":
            logger.info("%s: %s of %s", sender.public_id, posted["Type"], topic_arn)
            return []
        return list(_receipts(posted))


class SesConnection(Connection):
    def __init__(self, sender: Account) -> None:
        self._region = sender.setting("region")
        self._access_key, self._secret = (
            sender.setting("access_key_id"), sender.setting("secret_access_key"),
        )  # fmt: skip
        self._configuration_set = sender.setting("configuration_set")
        url = sender.setting("api_url") or f"https://email.{self._region}.amazonaws.com"
        self._url = f"{url.rstrip('/')}{SEND}"
        self._session = Session("amazon_ses", account=sender.public_id, secrets=[self._secret])

    def send(self, message: Message) -> Receipt:
        body = json.dumps(self._email(message)).encode()
        headers = signed_headers(
            "POST", self._url, body, {"content-type": "application/json"},
            region=self._region, service="ses", access_key=self._access_key, secret=self._secret, at=datetime.now(UTC),
        )  # fmt: skip
        with as_send_errors():
            response = self._session.post(self._url, data=body, headers=headers)
        if not response.ok:
            fault = response.headers.get("x-amzn-ErrorType", "").partition(":")[0]
            text = f"{fault} {response.text}"
            raise refused(response.status_code, text, response.headers, of_account=API_REFUSED)
        try:
            return Receipt(provider_id=str(response.json()["MessageId"]))
        except (ValueError, LookupError, TypeError):
            raise UncertainError("The answer of Amazon SES cannot be read.") from None

    def close(self) -> None:
        self._session.close()

    def _email(self, message: Message) -> dict[str, Any]:
        email: dict[str, Any] = {
            "FromEmailAddress": sender_address(message.from_address),
            "Destination": {"ToAddresses": [ascii_address(message.to_address)]},
            "Content": {"Raw": {"Data": b64encode(as_bytes(message)).decode()}},
            "EmailTags": [{"Name": KEY, "Value": SOURCE_TAG.sub("_", message.key)}],
        }
        if self._configuration_set:
            email["ConfigurationSetName"] = self._configuration_set
        return email


def signed_headers(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    region: str,
    service: str,
    access_key: str,
    secret: str,
    at: datetime,
) -> dict[str, str]:
    """Return the headers of a request with its signature (Signature Version 4)."""
    address = urlsplit(url)
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    signed = {**headers, "host": address.netloc, "x-amz-date": stamp}
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        (
            method,
            quote(address.path or "/", safe="/-_.~"),
            "&".join(sorted(address.query.split("&"))),
            *(f"{name}:{' '.join(signed[name].split())}" for name in sorted(signed)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    to_sign = "\n".join(
        ("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest())
    )
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    return {
        **headers,
        "x-amz-date": stamp,
        "authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}",
    }


def _posted(request: HttpRequest) -> dict[str, str]:
    """Return a message of SNS, whose parts are texts. Raises ValueError for any other body."""
    posted = json.loads(request.body)
    if not isinstance(posted, dict) or posted.get("Type") not in SIGNED:
        raise BadSignature
    return {name: value for name, value in posted.items() if isinstance(value, str)}


def _check_signature(posted: Mapping[str, str]) -> None:
    """Check the signature with a certificate of Amazon's own host. Raises BadSignature, and OSError if that cannot be reached."""
    text = "".join(f"{name}\n{posted[name]}\n" for name in SIGNED[posted["Type"]] if name in posted)
    try:
        key = _certified_key(_amazon_url(posted.get("SigningCertURL", ""), ".pem"))
        key.verify(
            b64decode(posted.get("Signature", ""), validate=True),
            text.encode(),
            PKCS1v15(),
            HASHES[posted.get("SignatureVersion", "")],
        )
    except requests.RequestException:
        raise
    except (ValueError, LookupError, InvalidSignature) as error:
        raise BadSignature from error


def _amazon_url(url: str, ending: str = "") -> str:
    """Return the URL where it is one of SNS itself. Raises ValueError for any other host."""
    parts = urlsplit(url)
    if (
        parts.scheme != "https"
        or not SNS_HOST.fullmatch(parts.netloc)
        or not parts.path.endswith(ending)
    ):
        raise ValueError(url)
    return url


@lru_cache(maxsize=32)
def _certified_key(url: str) -> RSAPublicKey:
    """Fetch the public key of a certificate. Raises ValueError for one that is not of RSA or not valid now."""
    with Session("amazon_ses", account="certificate") as session:
        response = session.get(url)
        response.raise_for_status()
    certificate = load_pem_x509_certificate(response.content)
    key = certificate.public_key()
    now = datetime.now(UTC)
    if not isinstance(key, RSAPublicKey) or not (
        certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    ):
        raise ValueError(url)
    return key


def _confirm(sender: Account, posted: Mapping[str, str]) -> None:
    """Confirm the subscription of the sender's topic to its webhook."""
    url = _amazon_url(posted.get("SubscribeURL", ""))
    with Session("amazon_ses", account=sender.public_id) as session:
        session.get(url).raise_for_status()


def _receipts(posted: Mapping[str, str]) -> Iterator[ReceiptEvent]:
    """Yield a receipt for each recipient of an event. Raises ValueError for a message that is no event of SES."""
    if posted["Message"].startswith("Successfully validated SNS topic"):
        return
    event = json.loads(posted["Message"])
    kind_name = (
        event.get("eventType") or event.get("notificationType") if isinstance(event, dict) else None
    )
    if not kind_name:
        raise ValueError("The notification is not of Amazon SES.")
    mail = _object(event.get("mail"))
    happened = _object(event.get(_camel(kind_name)))
    for address, kind, detail in _by_recipient(str(kind_name), happened, mail):
        yield ReceiptEvent(
            kind,
            event_id=hashlib.sha256(f"{posted['MessageId']}:{address}".encode()).hexdigest(),
            key=_key(mail),
            provider_id=str(mail.get("messageId") or ""),
            address=address,
            at=_time(happened.get("timestamp")) or _time(posted.get("Timestamp")),
            detail=detail,
            link=str(happened.get("link") or ""),
            user_agent=str(happened.get("userAgent") or ""),
        )


def _by_recipient(
    name: str, happened: Mapping[str, Any], mail: Mapping[str, Any]
) -> Iterator[tuple[str, ReceiptKind, str]]:
    """Yield the address, the kind and the detail for each recipient that an event is about."""
    if name == "Bounce":
        for each in map(_object, happened.get("bouncedRecipients") or ()):
            detail = str(each.get("diagnosticCode") or each.get("status") or "")
            yield str(each.get("emailAddress") or ""), _kind_of_bounce(happened, each), detail
    elif name == "Complaint":
        kind = ReceiptKind.COMPLAINED
        if happened.get("complaintSubType") or happened.get("complaintFeedbackType") == "not-spam":
            kind = ReceiptKind.BLOCKED  # a message that SES did not send, or no complaint
        for each in map(_object, happened.get("complainedRecipients") or ()):
            yield (
                str(each.get("emailAddress") or ""),
                kind,
                str(happened.get("complaintFeedbackType") or ""),
            )
    elif name == "Subscription":
        wanted = _object(happened.get("newTopicPreferences"))
        if wanted.get("unsubscribeAll") is True:
            yield _first(mail), ReceiptKind.UNSUBSCRIBED, str(happened.get("source") or "")
    elif name in KINDS:
        yield (
            _first(mail),
            KINDS[name],
            str(happened.get("smtpResponse") or happened.get("reason") or ""),
        )


def _kind_of_bounce(bounce: Mapping[str, Any], recipient: Mapping[str, Any]) -> ReceiptKind:
    """Return the kind of a bounce. A permanent one is hard unless its own words do not blame the address.

    Source: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-types
    """
    subtype = bounce.get("bounceSubType")
    if subtype == "UnsubscribedRecipient":
        return ReceiptKind.UNSUBSCRIBED
    if subtype in {"Suppressed", "OnAccountSuppressionList"}:
        return ReceiptKind.BLOCKED  # not sent: of some earlier message
    if bounce.get("bounceType") != "Permanent":
        return ReceiptKind.BOUNCED_SOFT
    return kind_of_report(str(recipient.get("diagnosticCode") or ""))


def _key(mail: Mapping[str, Any]) -> str:
    """Return our key of the message, from its tag or its Message-ID."""
    tags = _object(mail.get("tags")).get(KEY)
    if isinstance(tags, list) and tags:
        return str(tags[0])
    return key_in(_object(mail.get("commonHeaders")).get("messageId"))


def _first(mail: Mapping[str, Any]) -> str:
    destination = mail.get("destination")
    return str(destination[0]) if isinstance(destination, list) and destination else ""


def _camel(name: str) -> str:
    """Return the name of the part of an event that describes it: `Rendering Failure` → `failure`, `Bounce` → `bounce`."""
    return "failure" if name == "Rendering Failure" else name[:1].lower() + name[1:]


def _time(value: object) -> datetime | None:
    return parse_datetime(value) if isinstance(value, str) else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
