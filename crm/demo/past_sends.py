"""Send campaigns of the sample data in the past: with the product's own functions, and with the times that they would have had."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from crm.accounts.models import User
from marketing import campaigns
from marketing.messages import batches, queue
from marketing.messages.transitions import SendResult, mark_sending, record_results
from marketing.models import Campaign, CampaignExecution, CampaignRun

State = CampaignExecution.State
ErrorKind = CampaignExecution.ErrorKind

Refusal = Callable[[str], str]
"""Returns what the provider says against a customer's external id, "" for nothing."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of the sample data, counted from the day on which it is loaded, in the site's time zone."""

    now: datetime

    def at(self, days: int, clock: str) -> datetime:
        """Return the time `HH:MM` a number of days from today."""
        day = timezone.localdate(self.now) + timedelta(days=days)
        return timezone.make_aware(datetime.combine(day, time.fromisoformat(clock)))

    def of(self, row: Mapping[str, Any]) -> datetime:
        """Return a time in the past by `days_ago` and `time`, or by `hours_ago`."""
        if "hours_ago" in row:
            return self.now - timedelta(hours=row["hours_ago"])
        return self.at(-int(row["days_ago"]), row["time"])


def approve_if_needed(campaign: Campaign) -> None:
    """Approve the campaign where the site requires that, as an administrator."""
    if campaigns.needs_approval(campaign):
        campaigns.approve(campaign, by=User.objects.filter(is_superuser=True).earliest("pk"))


def send(
    campaign: Campaign,
    at: datetime,
    *,
    every: timedelta,
    only: int | None = None,
    refusal: Refusal = lambda customer: "",
) -> CampaignRun:
    """Launch the campaign, and send its first `only` messages (None for all) from a time on; returns the unfinished run."""
    run = campaigns.launch(campaign)
    while batches.owner().fill(run):
        pass
    return send_messages(run, at, every=every, only=only, refusal=refusal)


def send_messages(
    run: CampaignRun,
    at: datetime,
    *,
    every: timedelta,
    only: int | None = None,
    refusal: Refusal = lambda customer: "",
) -> CampaignRun:
    """Send the first `only` messages that wait in a run (None for all) from a time on; returns the run."""
    run = CampaignRun.objects.select_related("campaign").get(pk=run.pk)
    lease = uuid.uuid4()
    plan = batches.plan_of(run)
    moment = at
    while claimed := queue.claim(run, lease, only or queue.CLAIM_SIZE):
        leaving = mark_sending(run, plan, lease, claimed)
        attempted = []
        for message in claimed:
            if message.pk in leaving:
                refused = refusal(message.customer["external_id"] or "")
                attempted.append((message, _result(moment, refused, message.pk)))
                moment += every
        record_results(run, plan, lease, attempted)
        if only:
            break
    run.executions.filter(sent_at__isnull=False).update(sending_at=F("sent_at"))
    run.executions.filter(failed_at__isnull=False).update(sending_at=F("failed_at"))
    return run


def date_back(run: CampaignRun, at: datetime) -> None:
    """Give the campaign and its run the times that they would have had."""
    ended = at + timedelta(minutes=1)
    run.refresh_from_db()
    CampaignRun.objects.filter(pk=run.pk).update(
        created_at=at, started_at=at, finished_at=ended if run.finished_at else None
    )
    run.executions.update(created_at=at)
    Campaign.objects.filter(pk=run.campaign_id).update(launched_at=at)
    Campaign.objects.filter(pk=run.campaign_id, created_at__gt=at).update(
        created_at=at - timedelta(days=2)
    )
    Campaign.objects.filter(pk=run.campaign_id, completed_at__isnull=False).update(
        completed_at=ended
    )


def _result(at: datetime, refused: str, message: int) -> SendResult:
    if refused:
        return SendResult(State.FAILED, at, error=refused, error_kind=ErrorKind.HARD_BOUNCE)
    return SendResult(State.SENT, at, provider_id=f"sample-{message}")
