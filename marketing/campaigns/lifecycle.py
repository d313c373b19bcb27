"""The states of a campaign, and the only functions that change them.

Each move is one conditional UPDATE: when two people (or two beats) make it at once, one of them wins and the other is told.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from crm.events.outbox import emit
from crm.nudge import nudge
from marketing import events
from marketing.campaigns import approval, preflight, template_checks
from marketing.campaigns.audience import customers
from marketing.campaigns.errors import NotReady
from marketing.campaigns.schedule import beat_entries, next_runs, wall_clock
from marketing.content import versions
from marketing.models import Campaign, CampaignExecution, CampaignRun
from marketing.sending import breaker

logger = logging.getLogger(__name__)

State = Campaign.State
PauseReason = CampaignRun.PauseReason

MOVES: dict[str, frozenset[str]] = {
    State.DRAFT: frozenset({State.SCHEDULED, State.RUNNING, State.CANCELLED}),
    State.SCHEDULED: frozenset({State.SCHEDULED, State.RUNNING, State.CANCELLED}),
    State.RUNNING: frozenset({State.PAUSED, State.COMPLETED, State.CANCELLED}),
    State.PAUSED: frozenset({State.RUNNING, State.COMPLETED, State.CANCELLED}),
    State.COMPLETED: frozenset(),
    State.CANCELLED: frozenset(),
}
RECURRING_MOVES: dict[str, frozenset[str]] = {
    State.SCHEDULED: frozenset({State.PAUSED, State.COMPLETED}),
    State.RUNNING: frozenset({State.SCHEDULED}),
    State.PAUSED: frozenset({State.SCHEDULED}),
}
"""What only a recurring campaign can do besides: rest between two runs, and be held or ended while it rests."""
UNDER_WAY = ("queued", "materialising", "sending", "paused")


class ImpossibleMove(Exception):
    """The campaign is not in a state from which it can go there; `possible` says where it can go."""

    def __init__(self, campaign: Campaign, wanted: str) -> None:
        self.state = state = campaign.state
        self.wanted = wanted
        self.possible = sorted(moves(campaign))
        super().__init__(
            _("A campaign that is %(state)s cannot become %(wanted)s; it can become: %(possible)s.")
            % {
                "state": State(state).label.lower(),
                "wanted": State(wanted).label.lower(),
                "possible": ", ".join(self.possible) or _("nothing else"),
            }
        )


def moves(campaign: Campaign, state: str = "") -> frozenset[str]:
    """The states into which the campaign can go from its own, or from the one given."""
    state = state or campaign.state
    besides = RECURRING_MOVES.get(state) if campaign.recurs else None
    return MOVES[state] | (besides or frozenset())


def schedule_campaign(
    campaign: Campaign, *, at: datetime, by: User | None, skip_invalid: bool = False
) -> Campaign:
    """Let the campaign start at a time in the future; a scheduled one moves to the new time. With `skip_invalid` whatever a preflight
    found: people for whom the message fails are skipped.

    A recurring one counts from that time, which may have passed, and starts at the next of its times.
    Raises ImpossibleMove, and NotReady for a time that has passed, a campaign that could not be sent, or one that events start.
    """
    if campaign.is_triggered:
        raise NotReady(_("It has no time: launch it, and events start its messages from then on."))
    campaign.scheduled_at = at
    first = next_runs.next_run(campaign, after=timezone.now())
    if first is None:
        raise NotReady(_passed(campaign))
    check_ready(campaign)
    approval.check(campaign)
    if not skip_invalid:
        preflight.check(campaign)
    with transaction.atomic():
        _move(
            campaign,
            {State.DRAFT, State.SCHEDULED},
            State.SCHEDULED,
            scheduled_at=at,
            next_run_at=first,
        )
        beat_entries.put(campaign, first)
    return campaign


def launch(
    campaign: Campaign, *, by: User | None = None, skip_invalid: bool = False
) -> CampaignRun:
    """Start sending now: freeze the content, queue a run, and tell the workers. A recurring campaign goes on with its times afterwards;
    a triggered one waits for its event from now on. With `skip_invalid` whatever a preflight found: people for whom the message fails
    are skipped.

    Raises ImpossibleMove when it is not a draft or scheduled (or is being launched elsewhere), NotReady when it could not be sent.
    """
    if not skip_invalid:
        preflight.check(campaign)
    return _start(campaign, by=by)


def launch_if_due(campaign_id: int, *, now: datetime | None = None) -> CampaignRun | None:
    """What the clock calls: launch a scheduled campaign whose time has come; None when there is nothing to do (any more).

    Of several times that have come, as after a night without a clock, only the last is made up for. Raises NotReady.
    """
    now = now or timezone.now()
    campaign = Campaign.objects.filter(
        pk=campaign_id, state=State.SCHEDULED, next_run_at__lte=now
    ).first()
    if campaign is None:
        return None
    due_at, missed = next_runs.latest_due(campaign, now)
    try:
        return _start(campaign, due_at=due_at, missed=missed)
    except ImpossibleMove:
        return None


def launch_overdue(*, grace: timedelta = timedelta(seconds=10)) -> None:
    """Launch what the clock called for while nobody listened: a broker that lost the call, a worker that died with it."""
    late = Campaign.objects.filter(state=State.SCHEDULED, next_run_at__lt=timezone.now() - grace)
    for campaign_id in late.values_list("pk", flat=True):
        try:
            launch_if_due(campaign_id)
        except NotReady as error:
            logger.warning("Campaign %s cannot start: %s", campaign_id, error)


def pause(
    campaign: Campaign,
    *,
    by: User | None = None,
    reason: str = PauseReason.PERSON,
    detail: str = "",
) -> Campaign:
    """Hold a running campaign, or a recurring one between two runs; workers notice before their next message. `reason` and, in words,
    `detail` say why where no person did.

    Raises ImpossibleMove.
    """
    with transaction.atomic():
        _move(campaign, {State.RUNNING, State.SCHEDULED}, State.PAUSED, next_run_at=None)
        beat_entries.forget(campaign)
        campaign.runs.filter(state__in=UNDER_WAY).update(
            state=CampaignRun.State.PAUSED, pause_reason=reason, error=detail
        )
    return campaign


def resume(campaign: Campaign, *, by: User | None = None) -> Campaign:
    """Go on where a paused campaign stopped: with its run, or with the next of its times. Whoever resumes one that stopped by itself
    accepts what stopped it: a provider that does not answer is asked again, and bounces and complaints are counted anew.

    Raises ImpossibleMove, and NotReady when no time is left.
    """
    with transaction.atomic():
        held = list(campaign.runs.filter(state=CampaignRun.State.PAUSED))
        if campaign.recurs and campaign.state == State.PAUSED and not held:
            _rest_until_next(campaign, after=timezone.now())
            return campaign
        _move(campaign, {State.PAUSED}, State.RUNNING)
        for run in held:
            if run.pause_reason in {PauseReason.BOUNCES, PauseReason.COMPLAINTS}:
                run.watched_from = timezone.now()
            if run.pause_reason == PauseReason.PROVIDER and by:
                breaker.close(run.sender_id)
            run.state, run.pause_reason, run.error = _where_it_stopped(run), "", ""
            run.save(update_fields=["state", "pause_reason", "error", "watched_from"])
            nudge("marketing.tasks.send_run", run.pk)
    return campaign


def cancel(campaign: Campaign, *, by: User | None = None) -> Campaign:
    """End the campaign; what has not left yet is skipped as cancelled. Raises ImpossibleMove."""
    return _end(campaign, State.CANCELLED, CampaignRun.State.CANCELLED)


def complete(campaign: Campaign, *, by: User | None = None) -> Campaign:
    """End a running campaign early and count it as done; what has not left yet is skipped. Raises ImpossibleMove."""
    return _end(campaign, State.COMPLETED, CampaignRun.State.FINISHED)


def finish_run(run: CampaignRun) -> bool:
    """Close a run that has nothing left to send, and its campaign with it; False when it has, or is not sending."""
    now = timezone.now()
    if run.executions.under_way().exists() or _is_still_filled(run, now):
        return False
    with transaction.atomic():
        won = CampaignRun.objects.filter(pk=run.pk, state=CampaignRun.State.SENDING).update(
            state=CampaignRun.State.FINISHED, finished_at=now, error=""
        )
        if not won:
            return False
        _tell(events.CAMPAIGN_RUN_FINISHED, run)
        _go_on_after(run, now)
    return True


def run_of_the_day(campaign: Campaign) -> CampaignRun:
    """Today's run of a running triggered campaign; made with the content of the run before where there is none yet."""
    today = _day_of(campaign, timezone.now())
    runs = campaign.runs.select_related("campaign__topic", "campaign__sender").order_by("-number")
    newest = runs.first()
    assert newest
    if newest.due_at == today:
        return newest
    with transaction.atomic():
        run = _new_run(
            campaign,
            version=newest.version,
            due_at=today,
            **_OF_TRIGGERED,
            started_at=timezone.now(),
        )
        versions.repeat_variants(newest, run)
        _tell(events.CAMPAIGN_LAUNCHED, run)
    return run


def reopen(run: CampaignRun) -> None:
    """Let a run go on that had finished, because some of its messages are to be tried again; nothing changes for one that is under way.

    Raises NotReady while another run of its campaign is under way, and for a triggered one that is over.
    """
    if run.under_way:
        return
    campaign = Campaign.objects.select_for_update().get(pk=run.campaign_id)
    if run.triggered:
        if campaign.state != State.RUNNING:
            raise NotReady(_("It is not waiting for events any more: what failed stays as it is."))
    elif campaign.runs.filter(state__in=UNDER_WAY).exists():
        raise NotReady(_("Another run of it is under way: wait until that is done."))
    campaign.state, campaign.completed_at, campaign.next_run_at = State.RUNNING, None, None
    campaign.save(update_fields=["state", "completed_at", "next_run_at"])
    run.state, run.finished_at = CampaignRun.State.SENDING, None
    run.save(update_fields=["state", "finished_at"])
    nudge("marketing.tasks.send_run", run.pk)


def check_ready(campaign: Campaign) -> None:
    """Raises NotReady when the campaign could not be sent: no audience chosen, or a message with errors in it."""
    try:
        customers.customers_of(campaign)
    except customers.NoAudience as error:
        raise NotReady(_("Choose segments or rules: who should get it?")) from error
    except ValueError as error:
        raise NotReady(str(error)) from error
    if alien := template_checks.of_other_channels(campaign):
        raise NotReady(
            _("%(template)s is for %(channel)s, which the sender does not send.")
            % {"template": alien[0], "channel": alien[0].get_channel_display()}
        )
    for template, findings in template_checks.findings(campaign).items():
        if errors := [each.message for each in findings if each.level == "error"]:
            raise NotReady(f"{template}: {' '.join(errors)}")


def _start(
    campaign: Campaign,
    *,
    by: User | None = None,
    due_at: datetime | None = None,
    missed: int = 0,
) -> CampaignRun:
    """A run of the campaign, by hand or for its place in the schedule, which nobody else starts a second time."""
    check_ready(campaign)
    approval.check(campaign)
    now = timezone.now()
    begun: dict[str, Any] = {}
    if campaign.is_triggered:
        due_at = _day_of(campaign, now)
        begun = {**_OF_TRIGGERED, "started_at": now}
    with transaction.atomic():
        _move(
            campaign,
            {State.DRAFT, State.SCHEDULED},
            State.RUNNING,
            still={"next_run_at": campaign.next_run_at} if due_at else {},
            launched_at=now,
            next_run_at=None,
            scheduled_at=campaign.scheduled_at or (now if campaign.recurs else None),
        )
        if not campaign.recurs:
            beat_entries.forget(campaign)
        run = _new_run(
            campaign,
            version=versions.freeze(campaign.template),
            due_at=due_at,
            missed=missed,
            created_by=by,
            **begun,
        )
        versions.freeze_variants(run)
        _tell(events.CAMPAIGN_LAUNCHED, run)
        nudge("marketing.tasks.send_run", run.pk)
    return run


_OF_TRIGGERED = {"triggered": True, "state": CampaignRun.State.SENDING}


def _new_run(campaign: Campaign, **fields: Any) -> CampaignRun:
    newest = campaign.runs.order_by("-number").first()
    return CampaignRun.objects.create(
        campaign=campaign,
        number=newest.number + 1 if newest else 1,
        sender=campaign.sender,
        simulated=campaign.sender.simulated,
        **fields,
    )


def _day_of(campaign: Campaign, moment: datetime) -> datetime:
    """When the day began, in the campaign's zone, in which the moment lies."""
    midnight = wall_clock.shows(moment, campaign.timezone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    return wall_clock.at(midnight, campaign.timezone)


def _is_still_filled(run: CampaignRun, now: datetime) -> bool:
    """Whether more people may come to the run: it is today's of a triggered campaign."""
    return run.triggered and run.due_at == _day_of(run.campaign, now)


def _go_on_after(run: CampaignRun, now: datetime) -> None:
    """Let the campaign of a finished run wait for its next time, or be done where there is none.

    Times that passed while it ran are left out: nobody gets two on top of one another. But a run at each customer's own time lasts
    for longer than a day, and what came due during it follows at once.
    """
    campaign = Campaign.objects.get(pk=run.campaign_id)
    if campaign.state != State.RUNNING or campaign.is_triggered:
        return
    after = run.due_at if campaign.local_time and run.due_at else now
    if campaign.recurs and next_runs.next_run(campaign, after=after):
        _rest_until_next(campaign, after=after)
        return
    _move(campaign, {State.RUNNING}, State.COMPLETED, completed_at=now)
    beat_entries.forget(campaign)
    _tell(events.CAMPAIGN_COMPLETED, run)


def _rest_until_next(campaign: Campaign, *, after: datetime) -> None:
    """Put a recurring campaign back on the clock. Raises NotReady when its schedule is over."""
    next_run_at = next_runs.next_run(campaign, after=after)
    if next_run_at is None:
        raise NotReady(_passed(campaign))
    _move(campaign, {State.RUNNING, State.PAUSED}, State.SCHEDULED, next_run_at=next_run_at)
    if campaign.schedule is None:
        beat_entries.put(campaign, next_run_at)


def _passed(campaign: Campaign) -> str:
    if campaign.recurs:
        return _("Its schedule is over: no time is left at which it could run.")
    if campaign.local_time:
        return _("Somewhere in the world this time has passed already; give it a day more.")
    return _("The time to send at has passed already.")


def _end(campaign: Campaign, state: str, run_state: str) -> Campaign:
    now = timezone.now()
    with transaction.atomic():
        _move(campaign, State.values, state, completed_at=now, next_run_at=None)
        beat_entries.forget(campaign)
        runs = CampaignRun.objects.filter(campaign=campaign, state__in=UNDER_WAY)
        CampaignExecution.objects.filter(run__in=runs).waiting().update(
            state=CampaignExecution.State.SKIPPED,
            skip_reason=CampaignExecution.SkipReason.CANCELLED,
            lease=None,
            leased_until=None,
        )
        runs.update(state=run_state, finished_at=now)
        if state == State.COMPLETED:
            emit(
                events.CAMPAIGN_COMPLETED,
                subject=f"campaign/{campaign.pk}",
                data={"campaign": campaign.pk},
            )
    return campaign


def _move(
    campaign: Campaign,
    sources: Iterable[str],
    target: str,
    *,
    still: Mapping[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Change the state if the row still has one of `sources` and is as in `still`, and the object with it. Raises ImpossibleMove."""
    allowed = [source for source in sources if target in moves(campaign, source)]
    won = Campaign.objects.filter(pk=campaign.pk, state__in=allowed, **(still or {})).update(
        state=target, updated_at=timezone.now(), **changes
    )
    if not won:
        campaign.refresh_from_db(fields=["state"])
        raise ImpossibleMove(campaign, target)
    campaign.state = target
    for name, value in changes.items():
        setattr(campaign, name, value)


def _tell(event: str, run: CampaignRun) -> None:
    emit(
        event,
        subject=f"campaign/{run.campaign_id}",
        data={"campaign": run.campaign_id, "run": run.pk},
    )


def _where_it_stopped(run: CampaignRun) -> str:
    if run.triggered:
        return CampaignRun.State.SENDING
    if run.started_at is None:
        return CampaignRun.State.QUEUED
    return CampaignRun.State.SENDING if run.audience else CampaignRun.State.MATERIALISING
