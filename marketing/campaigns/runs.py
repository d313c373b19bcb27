"""The runs of a campaign, each a batch of messages, and the state of the campaign that follows from them.

A run is started here and filled with the audience; sending pauses, releases and finishes it, and the campaign follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from marketing import events, schedule
from marketing.campaigns import assignment
from marketing.campaigns.audience import policy_of, recipients, refresh_segments_of
from marketing.campaigns.checks import check_approved, check_ready, check_recipients, check_renders
from marketing.campaigns.states import ImpossibleMove, NotApproved, NotReady, move
from marketing.content import UtmTags, freeze, freeze_variants, repeat_variants
from marketing.messages import UNKNOWN_ZONE, Limits, SendPlan, batches, enqueue
from marketing.models import Campaign, CampaignRun
from marketing.schedule import wall_clock

CHUNK = 20_000
"""Customers enqueued by one INSERT."""
ANALYZED_FROM = 1_000
"""Messages of a run from which PostgreSQL needs new statistics."""

State = Campaign.State


def start(
    campaign: Campaign,
    *,
    by: User | None = None,
    due_at: datetime | None = None,
    missed: int = 0,
) -> CampaignRun:
    """Start a run, by hand or for its place in the schedule, with the content as it is now.

    Raises ImpossibleMove where another process started it, NotReady when it could not be sent, NotApproved when it may not be.
    """
    check_ready(campaign)
    check_renders(campaign)
    check_recipients(campaign)
    now = timezone.now()
    with transaction.atomic():
        move(
            campaign,
            {State.DRAFT, State.SCHEDULED},
            State.RUNNING,
            still={"next_run_at": campaign.next_run_at} if due_at else {},
            launched_at=now,
            next_run_at=None,
            scheduled_at=campaign.scheduled_at or (now if campaign.recurs else None),
        )
        if not campaign.recurs:
            schedule.delete_entry(campaign)
        if campaign.is_fed:
            due_at = _day_of(campaign, now)
        run = _new(
            campaign,
            version=freeze(campaign.template),
            due_at=due_at,
            missed=missed,
            created_by=by,
        )
        freeze_variants(run)
        # The templates are locked by now: what was frozen is what was approved.
        check_approved(campaign, by_hand=due_at is None)
        events.announce(events.CAMPAIGN_LAUNCHED, campaign.pk, run.pk)
        batches.work_on(run)
    return run


def start_fed(campaign: Campaign, *, by: User | None) -> CampaignRun:
    """Start a run with the content as it is now, for the recipients that come from now on. Raises ContentError."""
    run = _new(campaign, version=freeze(campaign.template), due_at=timezone.now(), created_by=by)
    freeze_variants(run)
    events.announce(events.CAMPAIGN_LAUNCHED, campaign.pk, run.pk)
    return run


@transaction.atomic
def record_refused(campaign: Campaign, reason: str, *, due_at: datetime, missed: int) -> None:
    """Record a scheduled start without recipients as a failed run; the campaign waits for its next time, or is cancelled.

    Raises ImpossibleMove where another process started or moved it.
    """
    after = schedule.next_run(campaign, after=due_at) if campaign.recurs else None
    move(
        campaign,
        {State.SCHEDULED},
        State.SCHEDULED if after else State.CANCELLED,
        still={"next_run_at": campaign.next_run_at},
        next_run_at=after,
        completed_at=None if after else timezone.now(),
    )
    if after is None:
        schedule.delete_entry(campaign)
    elif campaign.schedule is None:
        schedule.put_entry(campaign, after)
    _new(
        campaign,
        version=freeze(campaign.template),
        due_at=due_at,
        missed=missed,
        state=CampaignRun.State.FAILED,
        error=reason,
        finished_at=timezone.now(),
    )


def of_today(campaign: Campaign) -> CampaignRun:
    """Return today's run of a running campaign that is fed; a new one has the content of the run before."""
    today = _day_of(campaign, timezone.now())
    runs = campaign.runs.select_related("campaign__topic", "campaign__sender").order_by("-number")
    newest = runs.first()
    assert newest
    assert newest.due_at
    if newest.due_at >= today:
        return newest
    with transaction.atomic():
        run = _new(campaign, version=newest.version, due_at=today)
        repeat_variants(newest, run)
        events.announce(events.CAMPAIGN_LAUNCHED, campaign.pk, run.pk)
    return run


def plan_of(run: CampaignRun) -> SendPlan:
    """Return the plan of a run: its frozen content and sender, and the campaign's bounds as they are now."""
    campaign = run.campaign
    return SendPlan(
        name=campaign.name,
        sender=run.sender,
        reply_to=campaign.reply_to or run.sender.reply_to,
        version=run.version,
        variants={each.name: each.version for each in run.variants.select_related("version")},
        policy=policy_of(campaign, run),
        limits=_limits(run),
        utm=UtmTags.of(campaign),
        local_due=_local_due(run),
    )


def fill(run: CampaignRun) -> bool:
    """Enqueue the next chunk of the audience; returns whether there may be more. It is safe to repeat.

    The run's row is locked meanwhile: a second worker skips the chunk, and gets False.
    """
    _open(run)
    with transaction.atomic():
        waiting = CampaignRun.objects.filter(pk=run.pk, state=CampaignRun.State.MATERIALISING)
        locked = (
            waiting.select_for_update(skip_locked=True, of=("self",))
            .select_related("campaign__topic", "campaign__sender", "sender", "version")
            .first()
        )
        return _enqueue_next(locked) if locked else False


def expects_more(run: CampaignRun) -> bool:
    """Return whether events or a workflow may still add recipients: it is today's run of a campaign that is fed."""
    return (
        run.triggered
        and run.due_at is not None
        and run.due_at >= _day_of(run.campaign, timezone.now())
    )


def held(run: CampaignRun) -> None:
    """Pause the campaign of a paused run, and its other runs with it."""
    campaign = Campaign.objects.get(pk=run.campaign_id)
    try:
        move(campaign, {State.RUNNING}, State.PAUSED, next_run_at=None)
    except ImpossibleMove:
        return
    schedule.delete_entry(campaign)
    for other in campaign.runs.filter(state__in=batches.WORKED_ON):
        batches.hold(other, reason=run.pause_reason, detail=run.error)


def released(run: CampaignRun) -> None:
    """Resume the campaign of a released run, unless another of its runs is paused."""
    campaign = Campaign.objects.get(pk=run.campaign_id)
    if (
        campaign.state == State.PAUSED
        and not campaign.runs.filter(state=CampaignRun.State.PAUSED).exists()
    ):
        move(campaign, {State.PAUSED}, State.RUNNING)


def finished(run: CampaignRun) -> None:
    """Let the campaign of a finished run wait for its next time, or complete it where there is none.

    Times that passed during the run are skipped: nobody gets two messages on top of one another. But a run at each customer's local time
    lasts for longer than a day, and the next one that came due during it follows at once.
    """
    events.announce(events.CAMPAIGN_RUN_FINISHED, run.campaign_id, run.pk)
    campaign = Campaign.objects.get(pk=run.campaign_id)
    if campaign.state != State.RUNNING or campaign.is_fed:
        return
    now = timezone.now()
    after = run.due_at if campaign.local_time and run.due_at else now
    if campaign.recurs and schedule.next_run(campaign, after=after):
        wait_for_next(campaign, after=after)
        return
    move(campaign, {State.RUNNING}, State.COMPLETED, completed_at=now)
    schedule.delete_entry(campaign)
    events.announce(events.CAMPAIGN_COMPLETED, campaign.pk, run.pk)


def reopen(run: CampaignRun) -> None:
    """Resume a finished run for messages that are to be sent again; a run under way stays as it is.

    Raises NotReady while another run of its campaign is under way, and for a triggered campaign that has ended.
    """
    if run.under_way:
        return
    campaign = Campaign.objects.select_for_update().get(pk=run.campaign_id)
    if run.triggered:
        if campaign.state != State.RUNNING:
            raise NotReady(
                _("The triggered campaign has ended: its failed messages stay as they are.")
            )
    elif campaign.runs.filter(state__in=batches.UNDER_WAY).exists():
        raise NotReady(_("Another run of the campaign is under way: retry when it has finished."))
    campaign.state, campaign.completed_at, campaign.next_run_at = State.RUNNING, None, None
    campaign.save(update_fields=["state", "completed_at", "next_run_at"])
    run.state, run.finished_at = CampaignRun.State.SENDING, None
    run.save(update_fields=["state", "finished_at"])
    batches.work_on(run)


def wait_for_next(campaign: Campaign, *, after: datetime) -> None:
    """Schedule a recurring campaign for its next time. Raises NotReady when its schedule has ended."""
    next_run_at = schedule.next_run(campaign, after=after)
    if next_run_at is None:
        raise NotReady(why_no_time_is_left(campaign))
    move(campaign, {State.RUNNING, State.PAUSED}, State.SCHEDULED, next_run_at=next_run_at)
    if campaign.schedule is None:
        schedule.put_entry(campaign, next_run_at)


def why_no_time_is_left(campaign: Campaign) -> str:
    """Explain to the user why the campaign cannot start at its time any more."""
    if campaign.recurs:
        return _("Its schedule has ended: choose a later end, or more runs.")
    if campaign.local_time:
        return _("The time has passed already somewhere in the world: choose one a day later.")
    return _("The time to send at has passed already: choose a later one.")


def _new(campaign: Campaign, **fields: Any) -> CampaignRun:
    newest = campaign.runs.order_by("-number").first()
    if campaign.is_fed:
        fields |= {
            "triggered": True,
            "state": CampaignRun.State.SENDING,
            "started_at": timezone.now(),
        }
    return CampaignRun.objects.create(
        campaign=campaign,
        number=newest.number + 1 if newest else 1,
        sender=campaign.sender,
        simulated=campaign.sender.simulated,
        **fields,
    )


def _open(run: CampaignRun) -> None:
    """Refresh the segments of a queued run, and open it for its audience; any other run stays as it is.

    A run whose campaign has changed since its approval is paused: the segments may have changed while no worker was running.
    """
    if run.state != CampaignRun.State.QUEUED:
        return
    try:
        check_approved(run.campaign)
    except NotApproved as error:
        batches.hold(run, reason=CampaignRun.PauseReason.APPROVAL, detail=str(error))
        return
    refresh_segments_of(run.campaign)
    now = timezone.now()
    decides_at = assignment.decides_at(run.campaign, assignment.variants_of(run), now)
    CampaignRun.objects.filter(pk=run.pk, state=CampaignRun.State.QUEUED).update(
        state=CampaignRun.State.MATERIALISING, started_at=now, decides_at=decides_at
    )
    run.refresh_from_db(fields=["state", "started_at", "decides_at"])


def _enqueue_next(run: CampaignRun) -> bool:
    """Enqueue the customers after the last one of the run; returns whether there may be more."""
    chunk = recipients(run.campaign, run, after=run.last_customer_id, limit=CHUNK)
    enqueued = enqueue(run, chunk)
    run.last_customer_id = enqueued.last_customer_id or run.last_customer_id
    if enqueued.customers < CHUNK:
        run.state = CampaignRun.State.SENDING
        run.audience = run.executions.count()
        _analyze(run)
    run.save(update_fields=["state", "audience", "last_customer_id"])
    return enqueued.customers == CHUNK


def _analyze(run: CampaignRun) -> None:
    """Have PostgreSQL analyze a table that has grown at once: else it reads a whole run to mark one message."""
    if run.audience >= ANALYZED_FROM:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE marketing_campaignexecution (run_id, customer_id, state)")


def _day_of(campaign: Campaign, moment: datetime) -> datetime:
    """Return when the day of the moment began in the campaign's time zone."""
    midnight = wall_clock.shows(moment, campaign.timezone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    return wall_clock.at(midnight, campaign.timezone)


def _limits(run: CampaignRun) -> Limits:
    campaign = run.campaign
    cost = campaign.cost_per_message
    return Limits(
        per_hour=campaign.hourly_limit,
        budget=campaign.budget,
        cost=run.sender.cost_per_message if cost is None else cost,
    )


def _local_due(run: CampaignRun) -> Mapping[str, datetime]:
    campaign = run.campaign
    if not campaign.local_time or run.due_at is None:
        return {}
    return {
        **wall_clock.everywhere(run.due_at),
        UNKNOWN_ZONE: wall_clock.in_zone(run.due_at, campaign.timezone),
    }
