"""The progress of a run, counted from its messages; for large runs, cached for seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Count, Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from marketing.messages import batches
from marketing.models import CampaignExecution, CampaignRun
from marketing.models.execution import ALWAYS_DUE
from marketing.sending.quota import done_at

RATE_WINDOW = timedelta(minutes=1)
LARGE = 100_000
"""Counting so many messages takes a while: all viewers share a count of the last seconds."""
SHARED_SECONDS = 3

State = CampaignExecution.State
HARD_BOUNCE = CampaignExecution.ErrorKind.HARD_BOUNCE

TO_DO = frozenset({State.PENDING, State.RETRY, State.SENDING})
ACCEPTED = frozenset({State.SENT, State.DELIVERED, State.BOUNCED, State.COMPLAINED})
"""The states of a message that the provider accepted."""
ERRED = frozenset({State.RETRY, State.FAILED, State.BOUNCED, State.UNCONFIRMED})
ARRIVED = frozenset({State.DELIVERED, State.COMPLAINED})
"""The states of a message that a receipt says was delivered."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Messages of a run by state, skip reason and error kind; messages per second, the expected end, and the next due time.

    `refused` are the failed messages that the provider never took because the address does not exist.
    """

    by_state: dict[str, int]
    by_skip_reason: dict[str, int]
    rate_per_second: float
    eta: datetime | None
    by_error_kind: dict[str, int] = field(default_factory=dict)
    next_due_at: datetime | None = None
    refused: int = 0

    @property
    def total(self) -> int:
        return sum(self.by_state.values())

    @property
    def to_do(self) -> int:
        return sum(self.by_state.get(state, 0) for state in TO_DO)

    @property
    def done(self) -> int:
        return self.total - self.to_do

    @property
    def sent(self) -> int:
        return sum(self.by_state.get(state, 0) for state in ACCEPTED)

    @property
    def failed(self) -> int:
        return self.by_state.get(State.FAILED, 0)

    @property
    def skipped(self) -> int:
        return self.by_state.get(State.SKIPPED, 0)

    @property
    def delivery_rate(self) -> float | None:
        """Return the share of delivered messages among sent and refused ones, 0 to 1; None before the first.

        Where the provider reports no deliveries (SMTP), sent messages that did not bounce are delivered.
        """
        delivered = sum(self.by_state.get(state, 0) for state in ARRIVED)
        arrived = delivered or self.sent - self.by_state.get(State.BOUNCED, 0)
        attempted = self.sent + self.refused
        return arrived / attempted if attempted else None


def progress_of(run: CampaignRun) -> Progress:
    """Count the messages of a run, or return a count of the last seconds for a large one.

    There is an expected end only while messages are being sent, which knows the hourly limit.
    """
    if run.audience < LARGE:
        return _count(run)
    key = f"progress-of-run:{run.pk}:{run.state}"
    shared: Progress | None = cache.get(key)
    if shared is None:
        shared = _count(run)
        cache.set(key, shared, SHARED_SECONDS)
    return shared


def _count(run: CampaignRun) -> Progress:
    messages = CampaignExecution.objects.for_run(run)
    by_state = messages.count_by_state()
    by_skip_reason = messages.count_by_skip_reason() if State.SKIPPED in by_state else {}
    by_error_kind = messages.count_by_error_kind() if ERRED & by_state.keys() else {}
    failed = by_state.get(State.FAILED) and HARD_BOUNCE in by_error_kind
    rate = _rate(run) if run.state == CampaignRun.State.SENDING else 0.0
    to_do = sum(by_state.get(state, 0) for state in TO_DO)
    eta = None
    if to_do and run.state == CampaignRun.State.SENDING:
        eta = done_at(run, batches.plan_of(run).limits, to_do, rate)
    next_due_at = _next_due(run) if to_do and run.state == CampaignRun.State.SENDING else None
    refused = messages.filter(state=State.FAILED, error_kind=HARD_BOUNCE).count() if failed else 0
    return Progress(by_state, by_skip_reason, rate, eta, by_error_kind, next_due_at, refused)


def done_and_sent(run_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return (finished, sent) numbers of messages for each run, by one query."""
    counts = CampaignExecution.objects.filter(run__in=list(run_ids)).order_by()
    done: Counter[int] = Counter()
    sent: Counter[int] = Counter()
    for run_id, state, number in counts.values_list("run", "state").annotate(number=Count("*")):
        done[run_id] += number if state not in TO_DO else 0
        sent[run_id] += number if state in ACCEPTED else 0
    return {run_id: (done[run_id], sent[run_id]) for run_id in done}


def _next_due(run: CampaignRun) -> datetime | None:
    """Return when the next message is due, of a run without due ones."""
    first = run.executions.waiting().order_by(Coalesce("next_attempt_at", ALWAYS_DUE), "pk").first()
    due_at = first.next_attempt_at if first else None
    return due_at if due_at and due_at > timezone.now() else None


def _rate(run: CampaignRun) -> float:
    """Return messages per second over the last minute, or since the first of them where that is shorter."""
    now = timezone.now()
    recent = run.executions.filter(sent_at__gte=now - RATE_WINDOW).aggregate(
        number=Count("*"), first=Min("sent_at")
    )
    if not recent["number"]:
        return 0.0
    seconds = max((now - recent["first"]).total_seconds(), 1.0)
    return float(recent["number"] / seconds)
