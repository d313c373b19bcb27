"""What a provider that fails throughout means for its runs: they pause, say why, and go on when it answers again."""

from __future__ import annotations

from crm.accounts.models import User
from marketing.messages import batches
from marketing.models import CampaignRun, Sender, SenderBreaker
from marketing.sending import breaker as breakers
from marketing.sending.breaker import Breaker

PROVIDER = CampaignRun.PauseReason.PROVIDER


def pause(run: CampaignRun, breaker: Breaker) -> None:
    """Pause the run because its sender's breaker is open; nothing happens when it is not sending any more."""
    batches.hold(run, reason=PROVIDER, detail=breaker.why)


def end(sender: Sender, *, by: User) -> None:
    """A person says that the provider works again: its runs go on at once."""
    breakers.close(sender.pk)
    resume_where_over()


def resume_where_over() -> None:
    """Let those runs go on that an open breaker had paused, and whose breaker is not open any more."""
    waiting = CampaignRun.objects.filter(
        state=CampaignRun.State.PAUSED, pause_reason=PROVIDER
    ).exclude(sender__breaker__state=SenderBreaker.State.OPEN)
    for run in waiting:
        batches.release(run)
