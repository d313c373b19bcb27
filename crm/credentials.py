"""Secrets of the accounts that people set up: a name in the environment, or encrypted at rest.

What is kept is text: `env:NAME`, or `sealed:…` made with a key that follows from SECRET_KEY. A new SECRET_KEY goes first and the old
one into SECRET_KEY_FALLBACKS: what the old one sealed stays readable, until `manage.py reseal` has sealed it anew.
"""

from __future__ import annotations

import base64
import os

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

IN_ENVIRONMENT = "env:"
SEALED = "sealed:"
OURS = frozenset({"SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"})
"""Names that no account may use: otherwise whoever sets up a sender could post them to a server of theirs."""


class Unreadable(LookupError):
    """There is no such secret, or it was sealed with a key that is gone. The message says what to do, and no secret."""


def keep(given: str) -> str:
    """What to store for a secret as a person gave it: `env:NAME` as it is, all else sealed."""
    given = given.strip()
    if given.startswith(IN_ENVIRONMENT):
        return given
    return SEALED + _keys().encrypt(given.encode()).decode()


def read(kept: str) -> str:
    """The secret behind what keep() returned. Raises Unreadable."""
    if kept.startswith(IN_ENVIRONMENT):
        return _from_environment(kept.removeprefix(IN_ENVIRONMENT))
    try:
        return _keys().decrypt(kept.removeprefix(SEALED).encode()).decode()
    except InvalidToken as error:
        raise Unreadable(_("It was sealed with another SECRET_KEY: give it again.")) from error


def reseal(kept: str) -> str:
    """The same secret, sealed with the newest key. Raises Unreadable."""
    return kept if kept.startswith(IN_ENVIRONMENT) else keep(read(kept))


def shown(kept: str) -> str:
    """What may be shown of it: the name in the environment, or that there is one."""
    return kept if kept.startswith(IN_ENVIRONMENT) else "••••••••"


def _from_environment(name: str) -> str:
    if name in OURS:
        raise Unreadable(_("%s is Kindling's own: an account cannot use it.") % name)
    if value := os.environ.get(name):
        return value
    raise Unreadable(_("The environment has no %s.") % name)


def _keys() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(secret)) for secret in secrets])


def _derived(secret: str) -> bytes:
    """A key of its own for this purpose (HKDF, RFC 5869)."""
    derivation = HKDF(hashes.SHA256(), length=32, salt=None, info=b"kindling.credentials")
    return base64.urlsafe_b64encode(derivation.derive(secret.encode()))
