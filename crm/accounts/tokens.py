"""API tokens: create and look up. Only the digest of a token is stored.

A token ends with the password of its user, when its user is deactivated, and when its user signs out everywhere. Without a second factor
at its creation, it ends as soon as its user needs one.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256

from django.db.models import Q
from django.utils import timezone

from crm.accounts import audit, second_factor
from crm.accounts.models import ApiToken, Scope, User

LIFETIME = timedelta(days=90)
LONGEST_LIFETIME = timedelta(days=365)
RECORD_USE_EVERY = timedelta(minutes=1)
PREFIX = "kdl_"


def issue(
    user: User,
    *,
    scopes: Iterable[str] = (Scope.READ, Scope.WRITE, Scope.ADMIN),
    lifetime: timedelta = LIFETIME,
    name: str = "",
    with_second_factor: bool = False,
) -> tuple[ApiToken, str]:
    """Create a token for the user; return its row and its text, which cannot be read again.

    Raises ValueError for a lifetime over LONGEST_LIFETIME.
    """
    if lifetime > LONGEST_LIFETIME:
        raise ValueError(f"A token lasts at most {LONGEST_LIFETIME.days} days.")
    token = ApiToken(
        user=user,
        name=name,
        scopes=sorted(set(scopes)),
        expires_at=timezone.now() + lifetime,
        with_second_factor=with_second_factor,
    )
    text = fill(token)
    token.save()
    changes = {"scopes": [None, token.scopes], "expires_at": [None, token.expires_at]}
    audit.record(
        "issued API token",
        kind="accounts.apitoken",
        object_id=token.pk,
        label=str(token),
        by=user,
        changes=changes,
    )
    return token, text


def fill(token: ApiToken) -> str:
    """Generate the secret of an unsaved token; return its text."""
    text = PREFIX + secrets.token_urlsafe(32)
    token.prefix, token.digest = text[:10], _digest(text)
    return text


def find(text: str) -> ApiToken | None:
    """Return the valid token of an active user, and record its use at most once a minute."""
    now = timezone.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(digest=_digest(text), expires_at__gt=now, user__is_active=True)
        .first()
    )
    if token and not (token.with_second_factor or second_factor.needs_none(token.user)):
        return None
    if token:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - RECORD_USE_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
