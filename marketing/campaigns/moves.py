"""The moves that users, and the clock, make with a campaign: schedule, launch, pause, resume, end."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from customers.consent import is_suppressed
from marketing import events, schedule
from marketing.campaigns import runs
from marketing.campaigns.checks import check_approved, check_ready
from marketing.campaigns.preflight import check_preflight
from marketing.campaigns.states import ImpossibleMove, NobodyToSendTo, NotReady, move
from marketing.messages import batches, transitions
from marketing.models import Campaign, CampaignExecution, CampaignRun
from marketing.sending import close_breaker

logger = logging.getLogger(__name__)

State = Campaign.State
PauseReason = CampaignRun.PauseReason
ErrorKind = CampaignExecution.ErrorKind


def schedule_launch(
    campaign: Campaign, *, at: datetime, by: User | None, skip_invalid: bool = False
) -> Campaign:
    """Schedule the campaign for a time in the future, or move a scheduled one to it.

    A recurring campaign counts from that time, which may have passed, and starts at the next of its times. With `skip_invalid`, customers
    for whom a preflight could not render the message are skipped. Raises ImpossibleMove, and NotReady for a time that has passed, a
    campaign that could not be sent, or a triggered one.
    """
    if campaign.is_fed:
        raise NotReady(
            _("Its event starts a triggered campaign: launch it instead of scheduling it.")
        )
    campaign.scheduled_at = at
    first = schedule.next_run(campaign, after=timezone.now())
    if first is None:
        raise NotReady(runs.why_no_time_is_left(campaign))
    check_ready(campaign)
    if not skip_invalid:
        check_preflight(campaign)
    with transaction.atomic():
        move(
            campaign,
            {State.DRAFT, State.SCHEDULED},
            State.SCHEDULED,
            scheduled_at=at,
            next_run_at=first,
        )
        check_approved(campaign)
        schedule.put_entry(campaign, first)
    return campaign


def launch(
    campaign: Campaign, *, by: User | None = None, skip_invalid: bool = False
) -> CampaignRun:
    """Start sending now: freeze the content and queue a run.

    A recurring campaign keeps its schedule; a triggered one waits for its event from now on. With `skip_invalid`, customers for whom a
    preflight could not render the message are skipped. Raises ImpossibleMove when it is not a draft or scheduled (or is being launched
    elsewhere), NotReady when it could not be sent.
    """
    if not skip_invalid:
        check_preflight(campaign)
    return runs.start(campaign, by=by)


def launch_if_due(campaign_id: int, *, now: datetime | None = None) -> CampaignRun | None:
    """Launch a scheduled campaign whose time has come; returns None when there is nothing to launch.

    Of several times that have come, as after a night without a clock, only the last one is made up for. A start without recipients
    becomes a failed run. Raises NotReady.
    """
    now = now or timezone.now()
    campaign = Campaign.objects.filter(
        pk=campaign_id, state=State.SCHEDULED, next_run_at__lte=now
    ).first()
    if campaign is None:
        return None
    due_at, missed = schedule.latest_due(campaign, now)
    try:
        return runs.start(campaign, due_at=due_at, missed=missed)
    except NobodyToSendTo as error:
        with suppress(ImpossibleMove):
            runs.record_refused(campaign, str(error), due_at=due_at, missed=missed)
        return None
    except ImpossibleMove:
        return None


def launch_overdue(*, grace: timedelta = timedelta(seconds=10)) -> None:
    """Launch campaigns whose call from beat was lost, by a broker or with a worker."""
    late = Campaign.objects.filter(state=State.SCHEDULED, next_run_at__lt=timezone.now() - grace)
    for campaign_id in late.values_list("pk", flat=True):
        try:
            launch_if_due(campaign_id)
        except NotReady as error:
            logger.warning("Campaign %s cannot start: %s", campaign_id, error)


@transaction.atomic
def pause(
    campaign: Campaign,
    *,
    by: User | None = None,
    reason: str = PauseReason.PERSON,
    detail: str = "",
) -> Campaign:
    """Pause a running campaign, or a recurring one between two runs. Raises ImpossibleMove."""
    batch = campaign.runs.filter(state__in=batches.WORKED_ON).first()
    if batch and batches.hold(batch, reason=reason, detail=detail):
        campaign.refresh_from_db(fields=["state", "next_run_at", "schedule"])
        return campaign
    move(campaign, {State.RUNNING, State.SCHEDULED}, State.PAUSED, next_run_at=None)
    schedule.delete_entry(campaign)
    return campaign


@transaction.atomic
def resume(campaign: Campaign, *, by: User | None = None) -> Campaign:
    """Resume a paused campaign where it stopped: with its runs, or with the next of its times.

    A user accepts with it what paused the campaign: the provider is asked again, and bounces and complaints are counted anew. Raises
    ImpossibleMove, NotReady when no time is left, and NotApproved for a triggered campaign that has changed since its approval.
    """
    if campaign.is_fed:
        check_approved(campaign)
    paused = list(campaign.runs.filter(state=CampaignRun.State.PAUSED))
    if by:
        for batch in paused:
            if batch.pause_reason == PauseReason.PROVIDER:
                close_breaker(batch.sender_id)
    released = [batches.release(batch) for batch in paused]
    if any(released):
        campaign.refresh_from_db(fields=["state"])
    elif campaign.recurs and campaign.state == State.PAUSED:
        runs.wait_for_next(campaign, after=timezone.now())
    else:
        move(campaign, {State.PAUSED}, State.RUNNING)
    return campaign


def cancel(campaign: Campaign, *, by: User | None = None) -> Campaign:
    """End the campaign and skip the messages that have not been sent. Raises ImpossibleMove, and NotReady for one of a workflow."""
    _check_ends_alone(campaign)
    return _end(campaign, State.CANCELLED, CampaignRun.State.CANCELLED)


@transaction.atomic
def complete(campaign: Campaign, *, by: User | None = None) -> Campaign:
    """End a running campaign early as completed, and skip the messages that have not been sent.

    Raises ImpossibleMove, and NotReady for a campaign of a workflow.
    """
    _check_ends_alone(campaign)
    _end(campaign, State.COMPLETED, CampaignRun.State.FINISHED)
    events.announce(events.CAMPAIGN_COMPLETED, campaign.pk)
    return campaign


@transaction.atomic
def retry_failed(campaign: Campaign, *, by: User | None = None) -> int:
    """Send the failed messages of the newest run again, each with all its attempts; returns how many.

    A run that had finished is reopened. Raises NotReady for a campaign without a run, or whose last one was cancelled.
    """
    run = campaign.runs.select_for_update(of=("self",)).first()
    if run is None or run.state in {CampaignRun.State.CANCELLED, CampaignRun.State.FAILED}:
        raise NotReady(_("There is nothing to retry: the campaign was not sent, or was cancelled."))
    note = _("Retried by %(user)s.") % {"user": by} if by else ""
    number = transitions.retry(worth_retrying(run), note)
    if number:
        runs.reopen(run)
    return number


def worth_retrying(run: CampaignRun) -> QuerySet[CampaignExecution]:
    """Return the run's failed messages, without invalid addresses and unsubscribed customers."""
    return run.executions.filter(
        ~is_suppressed(run.campaign.channel, "address"), state=CampaignExecution.State.FAILED
    ).exclude(error_kind__in=[ErrorKind.HARD_BOUNCE, ErrorKind.UNWANTED])


def end_for_step(campaign: Campaign) -> None:
    """Complete the campaign of a step whose workflow has ended, and skip the messages that have not been sent."""
    if campaign.state in {State.RUNNING, State.PAUSED}:
        _end(campaign, State.COMPLETED, CampaignRun.State.FINISHED)


def _check_ends_alone(campaign: Campaign) -> None:
    if campaign.type == Campaign.Type.WORKFLOW:
        raise NotReady(_("The campaign belongs to a workflow. Archive the workflow instead."))


@transaction.atomic
def _end(campaign: Campaign, state: str, run_state: str) -> Campaign:
    batches.end(campaign.pk, state=run_state)
    move(campaign, State.values, state, completed_at=timezone.now(), next_run_at=None)
    schedule.delete_entry(campaign)
    return campaign
