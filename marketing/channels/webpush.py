"""Send messages to browsers by Web Push (RFC 8030), encrypted (RFC 8291) and signed (VAPID, RFC 8292).

The endpoint of a subscription is named by a stranger's browser, so calls go by the guarded door.
"""

from __future__ import annotations

import base64
import json
import re
from email.utils import parseaddr

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from py_vapid import Vapid, VapidException
from pywebpush import WebPushException, webpush

from crm.outbound.session import Session
from customers import push
from customers.models import PushSubscription, consent
from marketing.channels.base import (
    Account,
    Connection,
    Message,
    PermanentError,
    Provider,
    Receipt,
    SendError,
    Setting,
)
from marketing.channels.http import as_send_errors, refused

GONE = frozenset({404, 410})
TOO_BIG = 413
MOST_BYTES = 3_993
"""Room for a payload in the 4,096 bytes that every push service takes (RFC 8030, 7.2), once encrypted (RFC 8291, 4)."""
DAY = 86_400
CONTACT = re.compile(r"mailto:[^@\s]+@[^@\s]+|https://[\w.-]+")


class WebPush(Provider):
    name = "webpush"
    label = _("Web push")
    serves = frozenset({consent.Channel.PUSH})
    idempotent = True
    settings = (
        Setting(
            "private_key",
            _("VAPID private key"),
            secret=True,
            help=_("Made when empty. Browsers that subscribed with another key are lost."),
        ),
        Setting(
            "contact",
            _("Contact"),
            required=False,
            help=_(
                "mailto:you@example.com: the address that push services contact about problems."
            ),
        ),
        Setting("icon", _("Icon"), required=False, help=_("Address of a picture.")),
    )

    def validate(self, sender: Account) -> dict[str, str]:
        problems = super().validate(sender)
        if not problems:
            try:
                application_key(sender)
            except ValueError as error:
                problems["private_key"] = str(error)
            if not CONTACT.fullmatch(_contact(sender)):
                problems["contact"] = str(_("It is mailto:you@example.com or https://example.com."))
        return problems

    def remarks(self, message: Message) -> list[str]:
        size = len(payload(message, icon=""))
        if size <= MOST_BYTES:
            return []
        return [
            str(_("%(size)s bytes; push services take %(most)s."))
            % {"size": size, "most": MOST_BYTES}
        ]

    def made_by_itself(self) -> dict[str, str]:
        number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
        return {"private_key": _base64url(number.to_bytes(32, "big"))}

    def connect(self, sender: Account) -> WebPushConnection:
        return WebPushConnection(sender)


class WebPushConnection(Connection):
    def __init__(self, sender: Account) -> None:
        self._vapid = _vapid(sender)
        self._key = application_key(sender)
        self._contact = _contact(sender)
        self._icon = sender.setting("icon")
        secrets = [sender.setting("private_key")]
        self._session = Session("web push", account=sender.public_id, secrets=secrets)

    def send(self, message: Message) -> Receipt:
        """Send to every browser of the customer; one that accepts it is enough."""
        browsers = push.behind(message.to_address, self._key)
        if not browsers:
            raise PermanentError("No browser of this person is subscribed any more.")
        content = payload(message, icon=self._icon)
        took, errors = [], []
        for browser in browsers:
            try:
                self._push(browser, content, message.key)
                took.append(browser.pk)
            except SendError as error:
                errors.append(error)
        if not took:
            raise min(errors, key=lambda error: isinstance(error, PermanentError))
        return Receipt(provider_id=f"{push.PREFIX}{took[0]}")

    def close(self) -> None:
        self._session.close()

    def _push(self, browser: PushSubscription, content: bytes, key: str) -> None:
        try:
            with as_send_errors(idempotent=True):
                webpush(
                    {
                        "endpoint": browser.endpoint,
                        "keys": {"p256dh": browser.p256dh, "auth": browser.auth},
                    },
                    content,
                    vapid_private_key=self._vapid,
                    vapid_claims={"sub": self._contact},
                    ttl=DAY,
                    headers={"Topic": _topic(key), "Urgency": "normal"},
                    requests_session=self._session,
                )
        except WebPushException as error:
            raise self._said(error, browser) from error

    def _said(self, error: WebPushException, browser: PushSubscription) -> SendError:
        response = error.response
        if response is None:
            return PermanentError(error.message)
        if response.status_code in GONE:
            push.forget(browser.endpoint)
            return PermanentError("The browser is not subscribed any more.")
        if response.status_code == TOO_BIG:
            return PermanentError("The message is too long for push.")
        return refused(response.status_code, response.text, response.headers)


def application_key(sender: Account) -> str:
    """Return the public key with which browsers subscribe, as base64url. Raises ValueError for a private key that is none."""
    point = _vapid(sender).public_key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return _base64url(point)


def payload(message: Message, *, icon: str) -> bytes:
    """Return what our service worker shows: title, text and the address of a click."""
    shown = {
        "id": message.key,
        "title": message.subject or message.from_name,
        "body": message.text,
        "url": message.link,
        "icon": icon,
    }
    return json.dumps(
        {name: value for name, value in shown.items() if value}, ensure_ascii=False
    ).encode()


def _vapid(sender: Account) -> Vapid:
    try:
        return Vapid.from_string(sender.setting("private_key"))
    except (VapidException, ValueError, TypeError) as error:
        raise ValueError(_("This is no VAPID private key.")) from error


def _contact(sender: Account) -> str:
    """Return the contact for push services (RFC 8292, 2.1): mailto: or https: without a port; by default the site."""
    given = sender.setting("contact") or settings.SITE_URL
    if "@" in given and ":" not in given:
        return f"mailto:{given}"
    if given == settings.SITE_URL and not CONTACT.fullmatch(given):
        return f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"
    return given


def _topic(key: str) -> str:
    """Return the topic by which a push service replaces a waiting message, so that a retry shows nothing twice (RFC 8030, 5.4)."""
    return "".join(each for each in key if each.isalnum() or each in "-_")[:32]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
