"""The states of a batch: messages that are sent together, for a campaign.

A batch (a CampaignRun) belongs to an owner, which chooses its recipients and derives its own state from what happens to the batch. Each
function here changes one state by a conditional UPDATE and notifies the owner in the same transaction. Rows are locked in one order,
batch before owner.
"""

from __future__ import annotations

from typing import Any, Protocol

from django.db import transaction
from django.utils import timezone

from crm.nudge import nudge
from marketing.messages import transitions
from marketing.messages.plan import SendPlan
from marketing.models import CampaignRun

State = CampaignRun.State
PauseReason = CampaignRun.PauseReason

WORKED_ON = (State.QUEUED, State.MATERIALISING, State.SENDING)
"""The states in which workers do something for a batch."""
UNDER_WAY = (*WORKED_ON, State.PAUSED)


class Owner(Protocol):
    """The owner of a batch."""

    def plan_of(self, batch: CampaignRun) -> SendPlan:
        """Return what a batch sends and within which bounds, as of now."""

    def fill(self, batch: CampaignRun) -> bool:
        """Add the next chunk of recipients to a batch; returns whether there may be more."""

    def expects_more(self, batch: CampaignRun) -> bool:
        """Return whether recipients may still be added to a batch that has been filled."""

    def held(self, batch: CampaignRun) -> None:
        """Update the owner after its batch was paused."""

    def released(self, batch: CampaignRun) -> None:
        """Update the owner after its batch was resumed."""

    def finished(self, batch: CampaignRun) -> None:
        """Update the owner after its batch has sent everything."""


_owners: list[Owner] = []


def register_owner(owner: Owner) -> None:
    """Set the owner of all batches."""
    _owners[:] = [owner]


def owner() -> Owner:
    """Return the owner of batches."""
    return _owners[0]


def plan_of(batch: CampaignRun) -> SendPlan:
    """Return what a batch sends and within which bounds, as its owner says now."""
    return owner().plan_of(batch)


@transaction.atomic
def hold(batch: CampaignRun, *, reason: str, detail: str = "") -> bool:
    """Pause a batch for a reason, with details in words; returns whether workers were at it.

    A worker notices before its next message.
    """
    held = CampaignRun.objects.filter(pk=batch.pk, state__in=WORKED_ON).update(
        state=State.PAUSED, pause_reason=reason, error=detail
    )
    if held:
        batch.state, batch.pause_reason, batch.error = State.PAUSED, reason, detail
        owner().held(batch)
    return bool(held)


@transaction.atomic
def release(batch: CampaignRun) -> bool:
    """Resume a paused batch where it stopped; returns whether it was paused.

    Bounces and complaints are counted anew where they had paused it.
    """
    changes: dict[str, Any] = {"state": _where_it_stopped(batch), "pause_reason": "", "error": ""}
    if batch.pause_reason in {PauseReason.BOUNCES, PauseReason.COMPLAINTS}:
        changes["watched_from"] = timezone.now()
    if not CampaignRun.objects.filter(pk=batch.pk, state=State.PAUSED).update(**changes):
        return False
    owner().released(batch)
    work_on(batch)
    return True


@transaction.atomic
def finish(batch: CampaignRun) -> bool:
    """Close a batch that has nothing left to send; returns whether it did."""
    if batch.executions.under_way().exists() or owner().expects_more(batch):
        return False
    finished = CampaignRun.objects.filter(pk=batch.pk, state=State.SENDING).update(
        state=State.FINISHED, finished_at=timezone.now(), error=""
    )
    if finished:
        owner().finished(batch)
    return bool(finished)


@transaction.atomic
def end(campaign_id: int, *, state: str) -> None:
    """End the batches of an owner that are under way, and skip their messages that have not left."""
    batches = CampaignRun.objects.filter(campaign=campaign_id, state__in=UNDER_WAY)
    ended = list(batches.select_for_update().order_by("pk").values_list("pk", flat=True))
    transitions.cancel(ended)
    batches.update(state=state, finished_at=timezone.now())


def work_on(batch: CampaignRun) -> None:
    """Have a worker look at the batch once the transaction is committed."""
    nudge("marketing.tasks.send_run", batch.pk)


def _where_it_stopped(batch: CampaignRun) -> str:
    if batch.triggered:
        return State.SENDING
    if batch.started_at is None:
        return State.QUEUED
    return State.SENDING if batch.audience else State.MATERIALISING
