"""Send messages as JSON to the sender's own server, signed by the Standard Webhooks scheme.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from crm.outbound.session import Session
from customers.models import consent
from marketing.channels.base import Account, Connection, Message, Provider, Receipt, Setting
from marketing.channels.http import as_send_errors, check

PREFIX = "whsec_"


class Webhook(Provider):
    name = "webhook"
    label = _("Webhook")
    serves = frozenset({consent.Channel.WEBHOOK, consent.Channel.SOCIAL})
    idempotent = True
    settings = (
        Setting(
            "url",
            _("Address"),
            help=_("Gets a POST with JSON for each message."),
            is_target=True,
        ),
        Setting(
            "secret",
            _("Signing secret"),
            secret=True,
            help=_("Made when empty. The receiver checks webhook-signature with it."),
        ),
    )

    def validate(self, sender: Account) -> dict[str, str]:
        problems = super().validate(sender)
        url = urlsplit(sender.setting("url"))
        if "url" not in problems and (url.scheme not in {"http", "https"} or not url.hostname):
            problems["url"] = str(_("This is no web address: https://example.com/messages"))
        return problems

    def made_by_itself(self) -> dict[str, str]:
        return {"secret": PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()}

    def connect(self, sender: Account) -> WebhookConnection:
        return WebhookConnection(sender)


class WebhookConnection(Connection):
    def __init__(self, sender: Account) -> None:
        self._url = sender.setting("url")
        self._secret = sender.setting("secret")
        self._session = Session("webhook", account=sender.public_id, secrets=[self._secret])

    def send(self, message: Message) -> Receipt:
        body = json.dumps(payload(message), ensure_ascii=False).encode()
        at = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.key,
            "webhook-id": message.key,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(self._secret, message.key, at, body),
        }
        with as_send_errors(idempotent=True):
            check(self._session.post(self._url, data=body, headers=headers))
        return Receipt(provider_id=message.key)

    def close(self) -> None:
        self._session.close()


def payload(message: Message) -> dict[str, Any]:
    """Return the JSON body of a message; a text that is JSON stands in `data`, too."""
    return {
        "id": message.key,
        "to": {"address": message.to_address, "name": message.to_name},
        "from": {"address": message.from_address, "name": message.from_name},
        "subject": message.subject,
        "text": message.text,
        "link": message.link,
        "data": _parsed(message.text),
    }


def signature(secret: str, key: str, at: int, body: bytes) -> str:
    """Return `v1,…` over id, time and body; the secret is `whsec_` and base64, or any other text as it is."""
    try:
        known = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        known = secret.encode()
    signed = hmac.new(known, f"{key}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
