"""The circuit breaker of a sender: while its provider fails every message, its batches are paused, and one message probes now and then.

Source: M. Nygard, "Release It!", 2007, chapter 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import ceil

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from marketing.messages import batches
from marketing.messages.transitions import LONGEST_ERROR, SendResult, retry_since_last_sent
from marketing.models import CampaignExecution, CampaignRun, Sender, SenderBreaker

LONGEST_WAIT = timedelta(minutes=15)
UNREACHABLE_WEIGHT = 4
"""How many failed messages an unreachable provider counts for."""
REFUSED_SENDER_WEIGHT = 5
"""How many failed messages one counts for that was refused because of its sender."""

ErrorKind = CampaignExecution.ErrorKind
REFUSALS = frozenset({ErrorKind.ACCOUNT, ErrorKind.BLOCKED, ErrorKind.REFUSED})
"""Errors that may be the sender's: where each message of a batch has one, a smaller batch will do to show that."""

State = SenderBreaker.State
PROVIDER = CampaignRun.PauseReason.PROVIDER


class Breaker:
    """A sender's breaker, as a worker that sends a batch reads and updates it during one turn."""

    def __init__(self, sender: Sender, batch: CampaignRun) -> None:
        self._batch = batch
        row, _created = SenderBreaker.objects.get_or_create(sender=sender)
        self._pk = row.pk
        self._failures = row.failures
        self.state: str = row.state
        self.why = _why(row)
        """Why nothing is sent, for users; empty while the breaker is closed."""

    @property
    def is_open(self) -> bool:
        return self.state == State.OPEN

    @property
    def probing(self) -> bool:
        return self.state == State.PROBING

    def take_probe(self) -> bool:
        """Claim the probe: one worker sends one message to see whether the provider answers. False when another has claimed it."""
        now = timezone.now()
        lease = timedelta(seconds=settings.SENDING_LEASE_SECONDS)
        return bool(
            self._row().filter(state=State.PROBING, probe_at__lte=now).update(probe_at=now + lease)
        )

    def note(self, results: Sequence[SendResult]) -> None:
        """Count the results of messages, in the order in which they finished; opens or closes the breaker."""
        if not results:
            return
        failed: list[SendResult] = []
        for result in results:
            if result.provider_answers:
                failed.clear()
            else:
                failed.append(result)
        if len(failed) < len(results):
            self._answered()
        if failed:
            self._failed(sum(map(self._weight, failed)), failed[-1].error)

    @transaction.atomic
    def hold(self) -> None:
        """Hold the batch and say why on it; what failed since its last message was sent is sent again after the release."""
        batches.hold(self._batch, reason=PROVIDER, detail=self.why)
        retry_since_last_sent(self._batch)

    def unreachable(self, error: str) -> None:
        """Count a provider that accepts no connection."""
        self._failed(UNREACHABLE_WEIGHT, error)

    def _weight(self, result: SendResult) -> int:
        """Return for how many failures a result counts."""
        weight = REFUSED_SENDER_WEIGHT if result.error_kind == ErrorKind.ACCOUNT else 1
        if result.error_kind not in REFUSALS or self._batch.triggered:
            return weight
        limit = settings.SENDING_BREAKER_FAILURES
        states = set(CampaignExecution.State) - {CampaignExecution.State.SKIPPED}
        messages = self._batch.executions.filter(state__in=states)
        return max(weight, ceil(limit / max(1, messages[:limit].count())))

    def _answered(self) -> None:
        if self._failures or self.state != State.CLOSED:
            close_breaker(self._pk)
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


def close_breaker(sender_id: int) -> None:
    """Close the breaker: the provider answers, or a user says so."""
    SenderBreaker.objects.filter(pk=sender_id).update(
        state=State.CLOSED, failures=0, trips=0, opened_at=None, probe_at=None
    )


def reconnect(sender: Sender) -> None:
    """Close the breaker for a user who says that the provider works, and release its batches."""
    close_breaker(sender.pk)
    release_batches()


def release_batches() -> None:
    """Release batches that a breaker had paused and that no longer is open."""
    held = CampaignRun.objects.filter(state=CampaignRun.State.PAUSED, pause_reason=PROVIDER)
    for batch in held.exclude(sender__breaker__state=State.OPEN):
        batches.release(batch)


def begin_probes() -> None:
    """Set open breakers to probing once their time has come."""
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
    return _(
        "The provider fails every message (%(error)s). One message is sent to probe it at %(time)s."
    ) % {
        "error": row.last_error,
        "time": time_format(timezone.localtime(row.probe_at), "H:i:s"),
    }
