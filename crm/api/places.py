"""Places for responses that hold a thread of the web server for long: the other threads stay free.

A stream holds its place as long as its client reads. Code that counts customers by rules calls `count()`, which takes a place for the
rest of the request, so that no page and no endpoint counts without one.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled

T = TypeVar("T")

RETRY_SECONDS = 1


class NoPlace(Throttled):
    """All places for the user are taken: 429 over the API, a notice in the admin."""

    def __init__(self) -> None:
        super().__init__(
            RETRY_SECONDS, _("Too many counts at a time. Wait until one of them has ended.")
        )


class Places:
    """At most `most` responses at a time in one process, and `most_a_user` of one user."""

    def __init__(self, most: int, most_a_user: int) -> None:
        self.most = most
        self.most_a_user = most_a_user
        self._taken: Counter[object] = Counter()
        self._lock = (
            threading.RLock()
        )  # a response that is collected as garbage leaves in the middle of another call

    def are_taken(self, user: object) -> bool:
        """Return whether there is no place for the user."""
        return self._taken.total() >= self.most or self._taken[user] >= self.most_a_user

    def take(self, user: object) -> bool:
        """Take a place, if there is one for the user; the caller gives it back by leave()."""
        with self._lock:
            if self.are_taken(user):
                return False
            self._taken[user] += 1
            return True

    def leave(self, user: object) -> None:
        with self._lock:
            self._taken[user] -= 1

    @contextmanager
    def taken_by(self, user: object) -> Iterator[None]:
        """Hold a place for a block. Raises NoPlace."""
        if not self.take(user):
            raise NoPlace
        try:
            yield
        finally:
            self.leave(user)

    def hold(self, content: Iterable[T], user: object) -> Iterator[T]:
        """Yield the content in a place, until it ends or the server closes it because the client is gone."""
        with self._lock:
            self._taken[user] += 1
        try:
            yield from content
        finally:
            self.leave(user)


COUNTS = Places(most=4, most_a_user=2)
"""Counts of customers for rules, and descriptions read into rules, which take seconds of CPU."""


class _Counting:
    """A request, and the user whose place it holds, once it has counted."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.holder: object = None


_counting: ContextVar[_Counting | None] = ContextVar("the request that may count", default=None)


def count() -> None:
    """Take a place among COUNTS for the rest of the request; outside requests do nothing. Raises NoPlace."""
    counting = _counting.get()
    if counting is None or counting.holder is not None:
        return
    user = counting.request.user.pk or "visitors"
    if not COUNTS.take(user):
        raise NoPlace
    counting.holder = user


class CountsMiddleware:
    """Give back the place of a request that counted, and answer one for which there is none with 429."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        counting = _Counting(request)
        before = _counting.set(counting)
        try:
            return self.get_response(request)
        finally:
            _counting.reset(before)
            if counting.holder is not None:
                COUNTS.leave(counting.holder)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return a page; the API answers by itself."""
        if not isinstance(error, NoPlace):
            return None
        context = {"title": _("Too many counts"), "text": str(error.detail)}
        response = render(request, "public/message.html", context, status=error.status_code)
        response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response
