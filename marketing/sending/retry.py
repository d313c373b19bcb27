"""Failed messages that a person wants tried again, and only those."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from customers.consent.reach import is_suppressed
from marketing.campaigns import lifecycle
from marketing.models import Campaign, CampaignExecution, CampaignRun

State = CampaignExecution.State
ErrorKind = CampaignExecution.ErrorKind


def worth_retrying(run: CampaignRun) -> QuerySet[CampaignExecution]:
    """The run's failed messages, without those whose address is no good or whose owner wants no more."""
    return run.executions.filter(
        ~is_suppressed(run.campaign.channel, "address"), state=State.FAILED
    ).exclude(error_kind__in=[ErrorKind.HARD_BOUNCE, ErrorKind.UNWANTED])


@transaction.atomic
def retry_failed(campaign: Campaign, *, by: User | None = None) -> int:
    """Try the failed messages of the newest run again, with all attempts before them; returns how many.

    A run that had finished goes on until they are done. Raises NotReady for a campaign without a run, or whose last one was cancelled.
    """
    run = campaign.runs.select_for_update(of=("self",)).first()
    if run is None or run.state in {CampaignRun.State.CANCELLED, CampaignRun.State.FAILED}:
        raise lifecycle.NotReady(_("There is nothing to try again: it was not sent, or cancelled."))
    number = worth_retrying(run).update(
        state=State.RETRY,
        attempts=0,
        next_attempt_at=timezone.now(),
        failed_at=None,
        error=_("%(who)s has it tried again.") % {"who": by} if by else "",
        error_kind="",
    )
    if number:
        lifecycle.reopen(run)
    return number
