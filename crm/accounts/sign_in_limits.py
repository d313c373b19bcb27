"""Limits on failed sign-ins, counted in the cache by account and by address.

Ten failures lock an account at one address, and nowhere else. Failures at one account from many addresses, or from one address at many
accounts, lock only pairs of account and address that have not signed in before (OWASP, Blocking Brute Force Attacks).
"""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.account.signals import password_reset
from babel.dates import format_timedelta
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.accounts.models import User
from crm.client_address import limited_network

KNOWN_SECONDS = 90 * 86_400
"""How long an address at which an account signed in counts as known."""


@dataclass(frozen=True, slots=True)
class Limit:
    failures: int
    seconds: int


PAIR = Limit(10, 15 * 60)
ACCOUNT = Limit(50, 3600)
ADDRESS = Limit(100, 15 * 60)


class Locked(ValidationError):
    """No attempt for now; `seconds` until the next is allowed. The message has a place for the `time`."""

    def __init__(self, message: str, seconds: float) -> None:
        self.seconds = math.ceil(seconds)
        time_left = format_timedelta(
            timedelta(seconds=self.seconds), threshold=2, locale=get_language() or "en"
        )
        super().__init__(message % {"time": time_left}, code="locked")


class SignIn:
    """A sign-in to an account from an address. It counts as a failure until it succeeds: many at once exceed no limit."""

    def __init__(self, email: str, address: str) -> None:
        account = hashlib.sha256(email.strip().upper().casefold().encode()).hexdigest()
        network = limited_network(address)
        self._pair = f"sign-in:{account}:{network}"
        self._known = f"sign-in:known:{account}:{network}"
        self._limits = {
            self._pair: PAIR,
            f"sign-in:{account}": ACCOUNT,
            f"sign-in:from:{network}": ADDRESS,
        }

    def begin(self) -> None:
        """Count the attempt. Raises Locked."""
        applying = [self._pair] if cache.get(self._known) else list(self._limits)
        locks = cache.get_many([_lock(key) for key in applying])
        if locks:
            raise _locked(max(locks.values()) - time.time())
        counts = {key: _count(key, limit) for key, limit in self._limits.items()}
        for key in applying:
            if counts[key] > self._limits[key].failures:
                raise _locked(self._limits[key].seconds)

    def fail(self) -> None:
        """Lock what has reached its limit."""
        for key, limit in self._limits.items():
            if cache.get(key, 0) >= limit.failures:
                cache.set(_lock(key), time.time() + limit.seconds, limit.seconds)
                cache.delete(key)

    def succeed(self) -> None:
        """Take the count back, and remember the address for the account."""
        for key in self._limits:
            if cache.get(key):
                cache.decr(key)
        self.unlock()

    def unlock(self) -> None:
        """Forget failures of the account at the address, and remember the address for it."""
        cache.delete_many([self._pair, _lock(self._pair)])
        cache.set(self._known, True, KNOWN_SECONDS)


def watch_password_resets() -> None:
    """Unlock an account at the address that reset its password by the link in the mail."""
    password_reset.connect(_unlock, dispatch_uid="sign-in limits")


def _unlock(request: HttpRequest, user: User, **_signal: Any) -> None:
    SignIn(user.email, request.META["REMOTE_ADDR"]).unlock()


def _locked(seconds: float) -> Locked:
    return Locked(
        _("Too many failed sign-ins. Try again in %(time)s, or reset your password."), seconds
    )


def _lock(key: str) -> str:
    return f"{key}:locked"


def _count(key: str, limit: Limit) -> int:
    cache.add(key, 0, limit.seconds)
    try:
        return cache.incr(key)
    except ValueError:  # the count expired in between
        cache.set(key, 1, limit.seconds)
        return 1
