"""How often a token, a person or a stranger may call in a minute, by what the call does.

Two counters in Redis stand for a window that slides: the last minute's count weighs as much of it as is still within sixty seconds.
"""

from __future__ import annotations

import logging
import math
import time
from functools import cache
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.http import HttpRequest
from django.views import View
from redis import Redis
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from crm.accounts.models import ApiToken, Scope
from crm.api import rights
from crm.client_address import limited_network

if TYPE_CHECKING:  # rest_framework.views reads the settings that name this module
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
SIGN_IN = "sign_in"


class Throttle(BaseThrottle):
    """The default throttle. `read`, `write`, `ingest` and `sign_in` have limits of their own."""

    _now = staticmethod(time.time)
    _wait = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        scope = _scope(request, view)
        limit = settings.API_CALLS_PER_MINUTE[scope]
        if not limit:
            return True
        window, into = divmod(self._now(), WINDOW_SECONDS)
        try:
            return self._counts(f"throttle:{scope}:{self._who(request)}", int(window), into, limit)
        except RedisError:
            logger.warning("calls of the API are not counted: the cache is away")
            return True

    def _counts(self, key: str, window: int, into: float, limit: int) -> bool:
        """Count a request within the limit; of another, compute when to retry."""
        this = f"{key}:{window}"
        with redis().pipeline(transaction=False) as together:  # one way there and back a call
            together.get(f"{key}:{window - 1}")
            together.incr(this)
            together.expire(this, 2 * WINDOW_SECONDS)
            last, current, _is_kept = together.execute()
        before = int(last or 0)
        if before * (1 - into / WINDOW_SECONDS) + current <= limit:
            return True
        current = redis().decr(this)
        self._wait = _seconds_until_free(before, current, into, limit)
        return False

    def wait(self) -> float:
        return self._wait

    def _who(self, request: Request) -> str:
        if isinstance(request.auth, ApiToken):
            return f"token-{request.auth.pk}"
        key = getattr(request.auth, "pk", None) or request.user.pk
        return f"{'key' if request.auth else 'user'}-{key}" if key else _network(request)


class OfStrangers(Throttle):
    """Limits public pages that are no endpoints by IP address; the view has the `throttle_scope`."""

    def allows(self, request: HttpRequest, view: View) -> bool:
        return self.allow_request(cast(Request, request), cast("APIView", view))

    def _who(self, request: Request) -> str:
        return _network(request)


@cache
def redis() -> Redis:
    return Redis.from_url(settings.CACHES["default"]["LOCATION"])


def _network(request: Request) -> str:
    return limited_network(request.META["REMOTE_ADDR"])


def _scope(request: Request, view: APIView) -> str:
    """Return the scope of a request; what needs `admin` is counted as a write."""
    if scope := getattr(view, "throttle_scope", ""):
        return str(scope)
    scope = rights.scope_of(request, view)
    return str(Scope.WRITE if scope is Scope.ADMIN else scope)


def _seconds_until_free(before: int, current: int, into: float, limit: int) -> float:
    """Return the time of the next allowed request, in this window or in the next."""
    if current < limit and before:
        return max(1, math.ceil(WINDOW_SECONDS * (1 - (limit - 1 - current) / before) - into))
    share = 1 - (limit - 1) / max(current, limit)
    return math.ceil(WINDOW_SECONDS - into + WINDOW_SECONDS * share)
