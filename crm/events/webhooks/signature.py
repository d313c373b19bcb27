"""The Standard Webhooks scheme (standardwebhooks.com, "Signature scheme"): HMAC-SHA256 over `id.timestamp.body`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def headers(id: str, timestamp: int, body: str, keys: Iterable[str]) -> dict[str, str]:
    """Return the three headers of a message, with a signature for each secret: a receiver may have the old or the new one."""
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(key, f"{id}.{timestamp}.{body}") for key in keys),
    }


def _signature(secret: str, text: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode()
