"""Jobs: work of minutes that workers do in turns of seconds, with its state and progress in a row.

    class ImportJob(Job): ...
    jobs.register(ImportJob, work)      # once, when the app starts
    jobs.start(job)                     # a worker begins when the row is committed

`work(job, turn)` calls `turn.save()` after each chunk, and returns True when `turn.is_over()` and work is left. A job is leased to one
worker at a time. The lease of a worker that died expires, and the sweep gives the job to another one.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import masking
from crm.columns import OPTIONAL_TEXT
from crm.nudge import nudge
from crm.queues import give_way

logger = logging.getLogger(__name__)

TASK = "crm.tasks.work_on_job"
TURN_SECONDS = 4.0
LEASE = timedelta(minutes=5)
"""Longer than any single statement between two signs of life."""
RETRY_AFTER = timedelta(minutes=1)
SWEEP_SECONDS = 10
SHOWN_EVERY_SECONDS = 0.5


class Job(masking.Personal):
    """One piece of work. `done` of `total` is its progress, in whatever unit the work counts."""

    class State(models.TextChoices):
        QUEUED = "queued", gettext_lazy("Queued")
        RUNNING = "running", gettext_lazy("Running")
        FINISHED = "finished", gettext_lazy("Finished")
        FAILED = "failed", gettext_lazy("Failed")

    personal = {"error": masking.prose}
    ended_early: ClassVar[str] = "failed"
    """The state of a job that failed or was cancelled."""

    state = models.CharField(
        gettext_lazy("state"),
        max_length=10,
        choices=State,
        default=State.QUEUED,
        editable=False,
    )
    done = models.PositiveIntegerField(
        gettext_lazy("done"), default=0, db_default=0, editable=False
    )
    total = models.PositiveIntegerField(
        gettext_lazy("total"), default=0, db_default=0, editable=False
    )
    error = models.TextField(gettext_lazy("error"), editable=False, **OPTIONAL_TEXT)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=gettext_lazy("by"),
    )
    created_at = models.DateTimeField(gettext_lazy("created"), db_default=Now(), editable=False)
    started_at = models.DateTimeField(gettext_lazy("started"), null=True, editable=False)
    finished_at = models.DateTimeField(gettext_lazy("finished"), null=True, editable=False)
    lease = models.UUIDField(null=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True
        ordering = ["-id"]
        indexes = [
            # the sweep: unfinished jobs that no worker has
            models.Index(
                fields=["leased_until"],
                condition=models.Q(state__in=["queued", "running"]),
                name="%(class)s_under_way",
            )
        ]

    @property
    def is_under_way(self) -> bool:
        return self.state in _UNDER_WAY

    @property
    def progress(self) -> float:
        """Return the progress, 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    def eta(self, now: datetime | None = None) -> timedelta | None:
        """Estimate the time left from the pace so far; None before there is a pace."""
        if self.state != "running" or not self.started_at or not self.progress:
            return None
        elapsed = (now or timezone.now()) - self.started_at
        return elapsed * (1 / self.progress - 1)


class TakenOver(Exception):
    """The job was cancelled, or another worker has its lease."""


class Turn:
    """One worker's lease on a job, for some seconds."""

    def __init__(self, job: Job, seconds: float) -> None:
        self._row = type(job)._base_manager.filter(pk=job.pk, lease=job.lease)
        self._ends_at = time.monotonic() + seconds
        self._shown_at = 0.0
        self.has_ended = False

    def is_over(self) -> bool:
        """Rest while messages are sent (crm.queues), then return whether the time of the turn is up."""
        give_way()
        return time.monotonic() >= self._ends_at

    def save(self, **columns: Any) -> None:
        """Write columns of the job and renew the lease. Raises TakenOver."""
        self._update(leased_until=timezone.now() + LEASE, **columns)

    def show(self, **columns: Any) -> None:
        """save() at most twice a second: for progress that only people read. Raises TakenOver."""
        if time.monotonic() - self._shown_at >= SHOWN_EVERY_SECONDS:
            self.save(**columns)
            self._shown_at = time.monotonic()

    def release(self, *, retry_at: datetime | None = None, **columns: Any) -> None:
        """Give up the lease, so that any worker can claim the job, or none before `retry_at`."""
        self._update(lease=None, leased_until=retry_at, **columns)

    def end(self, state: str, **columns: Any) -> None:
        """Put the job into its last state; work that does so itself is not finished by its return."""
        self.release(state=state, finished_at=Now(), **columns)
        self.has_ended = True

    def _update(self, **columns: Any) -> None:
        if not self._row.update(**columns):
            raise TakenOver


Work = Callable[[Any, Turn], bool]


class _Kind(NamedTuple):
    model: type[Job]
    work: Work
    refusals: tuple[type[Exception], ...]
    is_retried: bool


_UNDER_WAY = ("queued", "running")
_kinds: dict[str, _Kind] = {}


def register(
    model: type[Job],
    work: Work,
    *,
    refusals: tuple[type[Exception], ...] = (),
    is_retried: bool = False,
) -> None:
    """Let `work` do the jobs of a model.

    The message of an exception among `refusals` is shown to the person who started the job. Any other exception is logged, and the
    job fails, or with `is_retried` is tried again until it succeeds.
    """
    _kinds[model._meta.label_lower] = _Kind(model, work, refusals, is_retried)


def start(job: Job) -> None:
    """Let a worker begin as soon as the row is committed."""
    nudge(TASK, job._meta.label_lower, job.pk)


def run(job: Job) -> None:
    """Do a whole job in this process, for few rows and for tests."""
    while work_on(job._meta.label_lower, job.pk, turn_seconds=math.inf):
        pass


def cancel(job: Job, error: str = "") -> None:
    """Stop a job that is queued or running. Changes made so far stay."""
    _unfinished(type(job)).filter(pk=job.pk).update(
        state=job.ended_early, error=error, finished_at=Now(), lease=None, leased_until=None
    )


def work_on(label: str, pk: int, *, turn_seconds: float = TURN_SECONDS) -> bool:
    """Do one turn of a job, unless another worker has its lease; returns whether work is left."""
    kind = _kinds[label]
    job = _claim(kind.model, pk)
    if job is None:
        return False
    turn = Turn(job, turn_seconds)
    try:
        return _work(kind, job, turn)
    except TakenOver:
        logger.warning("%s %s was cancelled or taken over.", label, pk)
        return False


def unattended(model: type[Job]) -> list[int]:
    """Return ids of unfinished jobs that no worker has a lease on."""
    return list(_claimable(model).order_by("pk").values_list("pk", flat=True))


def sweep() -> None:
    """Call a worker for every unattended job, of all kinds."""
    for label, kind in _kinds.items():
        for pk in unattended(kind.model):
            nudge(TASK, label, pk, expires=SWEEP_SECONDS)


def _work(kind: _Kind, job: Job, turn: Turn) -> bool:
    try:
        if kind.work(job, turn):
            turn.release()
            return True
    except TakenOver:
        raise
    except kind.refusals as refusal:
        turn.end(job.ended_early, error=str(refusal))
    except Exception:
        logger.exception("%s %s failed.", kind.model._meta.label_lower, job.pk)
        error = _("Something went wrong on our side, and the log says what. Start it again.")
        if kind.is_retried:
            turn.release(retry_at=timezone.now() + RETRY_AFTER, error=error)
        else:
            turn.end(job.ended_early, error=error)
    else:
        if not turn.has_ended:
            turn.end("finished", done=models.F("total"))
    return False


def _claim(model: type[Job], pk: int) -> Job | None:
    lease = uuid4()
    is_claimed = (
        _claimable(model)
        .filter(pk=pk)
        .update(
            state="running",
            started_at=Coalesce("started_at", Now()),
            error="",
            lease=lease,
            leased_until=timezone.now() + LEASE,
        )
    )
    return model._base_manager.get(pk=pk, lease=lease) if is_claimed else None


def _claimable(model: type[Job]) -> models.QuerySet[Any]:
    is_free = models.Q(leased_until=None) | models.Q(leased_until__lte=timezone.now())
    return _unfinished(model).filter(is_free)


def _unfinished(model: type[Job]) -> models.QuerySet[Any]:
    return model._base_manager.filter(state__in=_UNDER_WAY)
