"""Secrets at rest: the name of an environment variable, or a value encrypted with a key derived from SECRET_KEY.

Every secret is stored as `sealed:…`, in a column of SealedText or SealedTexts; senders may also name a variable, as `env:NAME`, that
starts with SENDER_SECRETS_PREFIX. To rotate SECRET_KEY, move the old key to SECRET_KEY_FALLBACKS: old secrets stay readable until
`manage.py reseal` encrypts them with the new key.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

IN_ENVIRONMENT = "env:"
SEALED = "sealed:"
MASK = "••••••••"
RESERVED = frozenset(
    {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"}
)
"""Variables that accounts cannot use: otherwise a user could send them to any server with a sender."""


class Unreadable(LookupError):
    """The secret does not exist, or its key is gone; the message says what to do."""


class SealedText(models.TextField):
    """A column of one stored secret, for `seal` and `read`."""


class SealedTexts(models.JSONField):
    """A column of stored secrets by name."""


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
            _(
                "This was encrypted with another SECRET_KEY. Add that key to SECRET_KEY_FALLBACKS, or enter the secret again."
            )
        ) from error


def reseal(stored: str) -> str:
    """Encrypt a secret with the newest key. Raises Unreadable."""
    return stored if stored.startswith(IN_ENVIRONMENT) else seal(read(stored))


def sealed_columns() -> Iterator[tuple[type[models.Model], models.Field[Any, Any]]]:
    """Yield the columns of secrets of all apps."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedText | SealedTexts):
                yield model, field


def reseal_all() -> tuple[int, list[models.Model]]:
    """Encrypt all stored secrets with the newest key; returns how many, and the rows with an unreadable one."""
    done, unreadable = 0, []
    for model, field in sealed_columns():
        for row in model._default_manager.exclude(**{field.name: field.get_default()}).iterator():
            stored = getattr(row, field.name)
            try:
                fresh = _resealed(stored)
            except Unreadable:
                unreadable.append(row)
                continue
            same = model._default_manager.filter(pk=row.pk, **{field.name: stored})
            done += same.update(**{field.name: fresh})
    return done, unreadable


def _resealed(stored: str | dict[str, str]) -> str | dict[str, str]:
    if isinstance(stored, dict):
        return {name: reseal(each) for name, each in stored.items()}
    return reseal(stored)


def masked(stored: str) -> str:
    """Return the name of the environment variable, or dots."""
    return stored if stored.startswith(IN_ENVIRONMENT) else MASK


def is_mask(given: str) -> bool:
    """Return whether a text is the mask of a secret, sent back by a client that read it."""
    return given.strip() == MASK


def _from_environment(name: str) -> str:
    prefix = settings.SENDER_SECRETS_PREFIX
    if not name.startswith(prefix):
        raise Unreadable(
            _(
                "Senders cannot use %(name)s, only variables whose name starts with %(prefix)s: rename it in the environment and here."
            )
            % {"name": name, "prefix": prefix}
        )
    if value := os.environ.get(name):
        return value
    raise Unreadable(_("The environment variable %s is not set.") % name)


def secret_keys() -> list[str]:
    """Return SECRET_KEY and its fallbacks: the first signs and encrypts, all verify and decrypt."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _keys() -> MultiFernet:
    return MultiFernet([_fernet(secret) for secret in secret_keys()])


@lru_cache
def _fernet(secret: str) -> Fernet:
    """Derive the key of this module (HKDF, RFC 5869)."""
    derivation = HKDF(hashes.SHA256(), length=32, salt=None, info=b"kindling.credentials")
    return Fernet(base64.urlsafe_b64encode(derivation.derive(secret.encode())))
