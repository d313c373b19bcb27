"""Issue, find and revoke write keys. The text of a key exists only in the response that issues it."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

from django.db.models import Q, QuerySet
from django.utils import timezone

from customers.models import WriteKey

PREFIX = "wk_"
USE_NOTED_EVERY = timedelta(minutes=1)


def issue_key(name: str) -> tuple[WriteKey, str]:
    """Create a key; returns its row and its text, which cannot be read again."""
    key = WriteKey(name=name)
    text = fill_key(key)
    key.save()
    return key, text


def fill_key(key: WriteKey) -> str:
    """Give an unsaved key its secret; returns the text, of which only digest and prefix are stored."""
    text = PREFIX + secrets.token_urlsafe(24)
    key.prefix, key.digest = text[:9], _digest(text)
    return text


def find_key(text: str) -> WriteKey | None:
    """Return the key with this text unless it is revoked, and record its use once a minute at most."""
    key = WriteKey.objects.filter(digest=_digest(text), revoked_at=None).first()
    now = timezone.now()
    if key and (key.last_used_at is None or key.last_used_at < now - USE_NOTED_EVERY):
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
        WriteKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
    return key


def revoke_keys(write_keys: QuerySet[WriteKey]) -> int:
    """Revoke keys; returns how many were still in use."""
    return write_keys.filter(revoked_at=None).update(revoked_at=timezone.now())


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()
