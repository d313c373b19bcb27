"""Make and read the tokens of public links: short, signed, without personal data."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache

from django.conf import settings
from django.utils.crypto import salted_hmac

from crm import credentials

SIGNATURE_BYTES = 10
LAYOUT = struct.Struct(">QH")


class Purpose(StrEnum):
    OPEN = "o"
    CLICK = "c"
    UNSUBSCRIBE = "u"
    CONFIRM = "confirm"
    PUSH = "push"


FOLDERS = {
    Purpose.OPEN: "t/o",
    Purpose.CLICK: "t/c",
    Purpose.UNSUBSCRIBE: "u",
    Purpose.CONFIRM: "u/confirm",
}


def make_token(purpose: Purpose, execution_id: int, position: int = 0) -> str:
    """Return a token of 27 characters of base64url for one message, or for one consent to confirm.

    For clicks `position` is that of the link, from 1; for a consent it stands for the address.
    """
    return token_maker(purpose)(execution_id, position)


def token_maker(purpose: Purpose) -> Callable[[int, int], str]:
    """Return make_token for one purpose, with the secret as of now: a message carries a dozen tokens."""
    return _maker(purpose, credentials.secret_keys()[0])


def read_token(purpose: Purpose, token: str) -> tuple[int, int] | None:
    """Return the execution id and link position of a token made for this purpose, or None for any other text."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != LAYOUT.size + SIGNATURE_BYTES:
        return None
    execution_id, position = LAYOUT.unpack_from(raw)
    for secret in credentials.secret_keys():
        if hmac.compare_digest(token, _maker(purpose, secret)(execution_id, position)):
            return execution_id, position
    return None


def signed_url(purpose: Purpose, execution_id: int, position: int = 0) -> str:
    """Return the whole address that goes into a message."""
    return url_signer(purpose)(execution_id, position)


def url_signer(purpose: Purpose) -> Callable[[int, int], str]:
    """Return signed_url for one purpose, with the settings as of now."""
    start, make = f"{settings.SITE_URL}/{FOLDERS[purpose]}/", token_maker(purpose)
    ending = ".gif" if purpose is Purpose.OPEN else ""
    return lambda execution_id, position: f"{start}{make(execution_id, position)}{ending}"


def _maker(purpose: Purpose, secret: str) -> Callable[[int, int], str]:
    keyed = _keyed(purpose, secret)

    def make(execution_id: int, position: int) -> str:
        payload = LAYOUT.pack(execution_id, position)
        signature = keyed.copy()
        signature.update(payload)
        return base64.urlsafe_b64encode(payload + signature.digest()).decode()[:-1]

    return make


@lru_cache
def _keyed(purpose: Purpose, secret: str) -> hashlib.blake2b:
    """Return keyed BLAKE2 before any payload (RFC 7693, 2.9): HMAC would hash twice."""
    key = salted_hmac(f"kindling.tracking.{purpose}", "", secret=secret, algorithm="sha256")
    return hashlib.blake2b(key=key.digest(), digest_size=SIGNATURE_BYTES)
