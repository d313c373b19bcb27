"""Issue, find and revoke write keys, and verify the signatures of calls. The text of a key exists only in the response that issues it."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from crm import credentials
from customers.models import Customer, WriteKey
from customers.tracking_api.calls import Call, Trust

PREFIX = "wk_"
SIGNATURE = ("userHash", "user_hash")
USE_NOTED_EVERY = timedelta(minutes=1)


def issue_key(name: str, kind: str = WriteKey.Kind.SERVER) -> tuple[WriteKey, str]:
    """Create a key; returns its row and its text, which cannot be read again."""
    key = WriteKey(name=name, kind=kind)
    text = fill_key(key)
    key.save()
    return key, text


def fill_key(key: WriteKey) -> str:
    """Fill an unsaved key, of a browser with a signing secret; returns its text, of which only digest and prefix are stored."""
    text = PREFIX + secrets.token_urlsafe(24)
    key.prefix, key.digest = text[:9], _digest(text)
    if key.kind == WriteKey.Kind.BROWSER:
        key.secret = credentials.seal(secrets.token_hex(32))
    return text


def secret_of(key: WriteKey) -> str:
    """Return the signing secret of a browser key; empty for a server key."""
    return credentials.read(key.secret) if key.secret else ""


def make_browser_keys(write_keys: QuerySet[WriteKey]) -> list[WriteKey]:
    """Turn server keys that stand in pages into browser keys, whose text stays; returns them."""
    changed = list(write_keys.filter(kind=WriteKey.Kind.SERVER))
    for key in changed:
        key.kind = WriteKey.Kind.BROWSER
        key.secret = credentials.seal(secrets.token_hex(32))
        key.save(update_fields=["kind", "secret"])
    return changed


def note_trust(key: WriteKey, given: Mapping[str, Any], call: Call) -> None:
    """Note how much a call is trusted: by the kind of its key, and for browsers by the signature of its user id."""
    if key.kind == WriteKey.Kind.SERVER:
        return
    signature = _signature(given)
    is_right = bool(signature) and is_signed(key, call.user_id, signature)
    call.trust = Trust.SIGNED if is_right else Trust.BROWSER
    call.is_wrongly_signed = bool(signature) and not is_right


def speaks_for(key: WriteKey, user_id: str, customer: Customer, given: Mapping[str, Any]) -> bool:
    """Return whether a request may subscribe the customer: with a browser key, if it is signed or only browsers sent the customer."""
    if key.kind == WriteKey.Kind.SERVER or customer.from_browser:
        return True
    return is_signed(key, user_id, _signature(given))


def sign(user_id: str, secret: str) -> str:
    """Return the signature of a user id: HMAC-SHA256 in hexadecimal digits, as Intercom's `user_hash`."""
    return hmac.new(secret.encode(), user_id.encode("utf-8", "replace"), sha256).hexdigest()


def is_signed(key: WriteKey, user_id: str, signature: str) -> bool:
    """Return whether a signature is that of a user id."""
    if not (user_id and key.secret):
        return False
    return hmac.compare_digest(
        sign(user_id, secret_of(key)).encode(), signature.lower().encode("utf-8", "replace")
    )


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


def _signature(given: Mapping[str, Any]) -> str:
    """Return the signature in a call: its `userHash`, or that of its context or of the integration Kindling."""
    integrations = given.get("integrations")
    places = (
        given,
        given.get("context"),
        integrations.get("Kindling") if isinstance(integrations, Mapping) else None,
    )
    for place in places:
        for name in SIGNATURE:
            if isinstance(place, Mapping) and isinstance(place.get(name), str):
                return str(place[name])
    return ""


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()
