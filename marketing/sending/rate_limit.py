"""The rate limits of a sender, for all workers together: per second, per day, and the pauses that its provider requests.

The generic cell rate algorithm (ITU-T I.371; virtual scheduling) limits the rate per second: one row per sender says when its next
message may leave, and a worker that takes places moves that time on. The row is in PostgreSQL, so the limit survives a flush of Redis.
"""

from __future__ import annotations

import time
from collections import deque
from datetime import datetime, timedelta
from math import inf

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from marketing.models import Sender, SenderPace

AHEAD = 0.25
"""Seconds that places are taken ahead at most: a worker that dies loses no more."""
LATE = 0.1
"""Seconds after which an unused place is forfeited: used later, it would crowd the next ones."""
LONGEST_PAUSE = timedelta(days=1)


class RateLimit:
    """A worker's places in the sender's queue, for one turn."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._places: deque[float] = deque()
        self._closed_until = 0.0
        self.why = ""
        """Why nothing may leave now, for users; empty while something may."""
        row, _created = SenderPace.objects.get_or_create(sender=sender)
        if row.held_until and row.held_until > timezone.now():
            self._close(row.held_until, _asked_to_wait(row.held_until))

    @property
    def limited(self) -> bool:
        return bool(self._sender.per_second or self._sender.per_day)

    def places(self, wanted: int) -> int:
        """Return how many of `wanted` messages may leave now. This causes SQL queries for a sender with limits."""
        if time.monotonic() < self._closed_until:
            return 0
        if not self.limited:
            return wanted
        now = time.monotonic()
        while self._places and self._places[0] < now - LATE:
            self._places.popleft()
        if len(self._places) < wanted:
            self._take(wanted - len(self._places))
        now = time.monotonic()
        return min(wanted, sum(place <= now for place in self._places))

    def use(self, number: int) -> None:
        """Use the places of messages that left."""
        for _n in range(min(number, len(self._places))):
            self._places.popleft()

    def wait(self) -> float:
        """Return the seconds until a message may leave; 0 when one may now."""
        now = time.monotonic()
        if now < self._closed_until:
            return self._closed_until - now
        return max(0.0, self._places[0] - now) if self._places else 0.0

    def pause(self, seconds: float) -> None:
        """Pause the sender for all workers, as its provider asked (Retry-After, RFC 9110, 10.2.3)."""
        until = timezone.now() + min(timedelta(seconds=seconds), LONGEST_PAUSE)
        SenderPace.objects.filter(pk=self._sender.pk).update(
            held_until=Greatest("held_until", until)
        )
        self._close(until, _asked_to_wait(until))

    def give_back(self) -> None:
        """Return unused places to the limit of today."""
        if self._places and self._sender.per_day:
            SenderPace.objects.filter(
                pk=self._sender.pk, day=timezone.localdate(), taken__gte=len(self._places)
            ).update(taken=F("taken") - len(self._places))
        self._places.clear()

    def _take(self, wanted: int) -> None:
        """Take up to `wanted` places that begin soon; without one, remember how long to wait."""
        sender = self._sender
        with transaction.atomic():
            row = SenderPace.objects.select_for_update().get(pk=sender.pk)
            now, today = timezone.now(), timezone.localdate()
            if row.held_until and row.held_until > now:
                return self._close(row.held_until, _asked_to_wait(row.held_until))
            if row.day != today:
                row.day, row.taken = today, 0
            left_today = sender.per_day - row.taken if sender.per_day else inf
            if left_today <= 0:
                return self._close(_midnight(), _("The sender's daily limit is reached."))
            distance = (
                timedelta(seconds=1 / sender.per_second) if sender.per_second else timedelta()
            )
            first = max(row.next_at, now)
            taken = [first + distance * n for n in range(int(min(wanted, left_today)))]
            taken = [place for place in taken if place <= now + timedelta(seconds=AHEAD)]
            if not taken:
                return self._close(first, "")
            row.next_at, row.taken = taken[-1] + distance, row.taken + len(taken)
            row.save(update_fields=["next_at", "day", "taken"])
        started = time.monotonic()
        self._places.extend(started + (place - now).total_seconds() for place in taken)
        self.why = ""
        return None

    def _close(self, until: datetime, why: str) -> None:
        self._closed_until = time.monotonic() + (until - timezone.now()).total_seconds()
        self.why = why


def _asked_to_wait(until: datetime) -> str:
    return _("The provider requested a pause until %(time)s.") % {
        "time": time_format(timezone.localtime(until), "H:i:s")
    }


def _midnight() -> datetime:
    tomorrow = timezone.localdate() + timedelta(days=1)
    return timezone.make_aware(datetime.combine(tomorrow, datetime.min.time()))
