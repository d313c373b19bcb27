"""Places for responses that hold a thread of the web server as long as their client reads: the other threads stay free."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

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
