"""Secrets of accounts: the name of an environment variable, or a value encrypted at rest.

A secret is stored as `env:NAME`, or as `sealed:…` with a key derived from SECRET_KEY. To rotate SECRET_KEY, move the old key to
SECRET_KEY_FALLBACKS: old secrets stay readable until `manage.py reseal` encrypts them with the new key.
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
RESERVED = frozenset(
    {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"}
)
"""Variables that accounts cannot use: otherwise a user could send them to any server with a sender."""


class Unreadable(LookupError):
    """The secret does not exist, or its key is gone; the message says what to do."""


def seal(given: str) -> str:
    """Return what to store for an entered secret: `env:NAME` as it is, other texts encrypted."""
    given = given.strip()
    if given.startswith(IN_ENVIRONMENT):
        return given
    return SEALED + _keys().encrypt(given.encode()).decode()


def read(stored: str) -> str:
    """Return the secret of a stored text. Raises Unreadable."""
    if stored.startswith(IN_ENVIRONMENT):
        return _from_environment(stored.removeprefix(IN_ENVIRONMENT))
    try:
        return _keys().decrypt(stored.removeprefix(SEALED).encode()).decode()
    except InvalidToken as error:
        raise Unreadable(
            _("This secret was encrypted with another SECRET_KEY. Enter it again.")
        ) from error


def reseal(stored: str) -> str:
    """Encrypt a secret with the newest key. Raises Unreadable."""
    return stored if stored.startswith(IN_ENVIRONMENT) else seal(read(stored))


def masked(stored: str) -> str:
    """Return the name of the environment variable, or dots."""
    return stored if stored.startswith(IN_ENVIRONMENT) else "••••••••"


def _from_environment(name: str) -> str:
    if name in RESERVED:
        raise Unreadable(_("Accounts cannot use %s. Choose another variable.") % name)
    if value := os.environ.get(name):
        return value
    raise Unreadable(_("The environment variable %s is not set.") % name)


def _keys() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(secret)) for secret in secrets])


def _derived(secret: str) -> bytes:
    """Derive the key of this module (HKDF, RFC 5869)."""
    derivation = HKDF(hashes.SHA256(), length=32, salt=None, info=b"kindling.credentials")
    return base64.urlsafe_b64encode(derivation.derive(secret.encode()))
