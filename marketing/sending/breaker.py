"""The circuit breaker of a sender: a provider that fails throughout is left alone, tried now and then, and used again when it answers.

Source: M. Nygard, "Release It!", 2007, chapter 5. What it means for runs is in marketing.sending.outage.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from marketing.models import Sender, SenderBreaker
from marketing.sending.attempt import LONGEST_ERROR, Outcome

LONGEST_WAIT = timedelta(minutes=15)
UNREACHABLE_WEIGHT = 4
"""How many failed messages a provider that cannot be reached at all counts for."""

State = SenderBreaker.State


class Breaker:
    """What a worker sees and tells of a sender's provider during one turn."""

    def __init__(self, sender: Sender) -> None:
        row, _created = SenderBreaker.objects.get_or_create(sender=sender)
        self._pk = row.pk
        self._failures = row.failures
        self.state: str = row.state
        self.why = _why(row)
        """Why nothing is sent, for people; empty while the breaker is closed."""

    @property
    def is_open(self) -> bool:
        return self.state == State.OPEN

    @property
    def probing(self) -> bool:
        return self.state == State.PROBING

    def take_probe(self) -> bool:
        """Be the one worker that tries whether the provider answers again; False when another is."""
        now = timezone.now()
        lease = timedelta(seconds=settings.SENDING_LEASE_SECONDS)
        return bool(
            self._row().filter(state=State.PROBING, probe_at__lte=now).update(probe_at=now + lease)
        )

    def note(self, outcomes: Sequence[Outcome]) -> None:
        """Learn from what came of messages, in the order in which they ended; opens or closes."""
        if not outcomes:
            return
        trailing = 0
        for outcome in reversed(outcomes):
            if outcome.provider_answers:
                break
            trailing += 1
        if trailing < len(outcomes):
            self._answered()
        if trailing:
            self._failed(trailing, outcomes[-1].error)

    def unreachable(self, error: str) -> None:
        """The provider could not even be connected to."""
        self._failed(UNREACHABLE_WEIGHT, error)

    def _answered(self) -> None:
        if self._failures or self.state != State.CLOSED:
            close(self._pk)
            self._failures, self.state, self.why = 0, State.CLOSED, ""

    @transaction.atomic
    def _failed(self, number: int, error: str) -> None:
        row = self._row().select_for_update().get()
        row.failures += number
        row.last_error, row.last_error_at = error[:LONGEST_ERROR], timezone.now()
        if row.state == State.PROBING or row.failures >= settings.SENDING_BREAKER_FAILURES:
            _open(row)
        row.save()
        self._failures, self.state, self.why = row.failures, row.state, _why(row)

    def _row(self) -> QuerySet[SenderBreaker]:
        return SenderBreaker.objects.filter(pk=self._pk)


def close(sender_id: int) -> None:
    """Use the provider as if nothing had been: it answers, or a person says that it does."""
    SenderBreaker.objects.filter(pk=sender_id).update(
        state=State.CLOSED, failures=0, trips=0, opened_at=None, probe_at=None
    )


def begin_probes() -> None:
    """Let those open breakers whose time has come be tried with one message."""
    SenderBreaker.objects.filter(state=State.OPEN, probe_at__lte=timezone.now()).update(
        state=State.PROBING
    )


def _open(row: SenderBreaker) -> None:
    now = timezone.now()
    if row.state != State.OPEN:
        row.opened_at = row.opened_at or now
        row.trips += 1
    row.state = State.OPEN
    first = timedelta(seconds=settings.SENDING_FIRST_PROBE_SECONDS)
    row.probe_at = now + min(first * 2 ** min(row.trips - 1, 10), LONGEST_WAIT)


def _why(row: SenderBreaker) -> str:
    if row.state == State.CLOSED or row.probe_at is None:
        return ""
    return _("The provider fails throughout (%(error)s). It is tried again at %(time)s.") % {
        "error": row.last_error,
        "time": time_format(timezone.localtime(row.probe_at), "H:i:s"),
    }
