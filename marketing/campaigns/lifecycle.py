"""The states of a campaign, and the only functions that change them.

Each move is one conditional UPDATE: when two people (or two beats) make it at once, one of them wins and the other is told.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from crm.events.outbox import emit
from marketing import events
from marketing.campaigns import audience, schedule
from marketing.content import liquid, versions
from marketing.content.render import Renderer
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
UNDER_WAY = ("queued", "materialising", "sending", "paused")


class ImpossibleMove(Exception):
    """The campaign is not in a state from which it can go there; `possible` says where it can go."""

    def __init__(self, state: str, wanted: str) -> None:
        self.state = state
        self.wanted = wanted
        self.possible = sorted(MOVES[state])
        super().__init__(
            _("A campaign that is %(state)s cannot become %(wanted)s; it can become: %(possible)s.")
            % {
                "state": State(state).label.lower(),
                "wanted": State(wanted).label.lower(),
                "possible": ", ".join(self.possible) or _("nothing else"),
            }
        )


class NotReady(ValueError):
    """The campaign cannot be sent as it is; the message says what is missing."""


def schedule_campaign(campaign: Campaign, *, at: datetime, by: User | None) -> Campaign:
    """Let the campaign start at a time in the future; a scheduled one moves to the new time.

    Raises ImpossibleMove, and NotReady for a time that has passed or a campaign that could not be sent.
    """
    if at <= timezone.now():
        raise NotReady(_("The time to send at has passed already."))
    check_ready(campaign)
    with transaction.atomic():
        _move(campaign, {State.DRAFT, State.SCHEDULED}, State.SCHEDULED, scheduled_at=at)
        schedule.start_at(campaign, at)
    return campaign


def launch(campaign: Campaign, *, by: User | None = None) -> CampaignRun:
    """Start sending now: freeze the content, queue a run, and tell the workers.

    Raises ImpossibleMove when it is not a draft or scheduled (or is being launched elsewhere), NotReady when it could not be sent.
    """
    check_ready(campaign)
    with transaction.atomic():
        _move(campaign, {State.DRAFT, State.SCHEDULED}, State.RUNNING, launched_at=timezone.now())
        schedule.forget(campaign)
        newest = campaign.runs.order_by("-number").first()
        run = CampaignRun.objects.create(
            campaign=campaign,
            number=newest.number + 1 if newest else 1,
            version=versions.freeze(campaign.template),
            sender=campaign.sender,
            simulated=campaign.sender.simulated,
            created_by=by,
        )
        versions.freeze_variants(run)
        emit(
            events.CAMPAIGN_LAUNCHED,
            subject=f"campaign/{campaign.pk}",
            data={"campaign": campaign.pk, "run": run.pk},
        )
        _work_on(run)
    return run


def launch_if_due(campaign_id: int, *, now: datetime | None = None) -> CampaignRun | None:
    """What the clock calls: launch a scheduled campaign whose time has come; None when there is nothing to do (any more)."""
    campaign = Campaign.objects.filter(pk=campaign_id, state=State.SCHEDULED).first()
    if campaign is None or campaign.scheduled_at is None:
        return None
    if campaign.scheduled_at > (now or timezone.now()):
        return None
    try:
        return launch(campaign)
    except ImpossibleMove:
        return None


def launch_overdue(*, grace: timedelta = timedelta(seconds=30)) -> None:
    """Launch what the clock called for while nobody listened: a broker that lost the call, a worker that died with it."""
    late = Campaign.objects.filter(state=State.SCHEDULED, scheduled_at__lt=timezone.now() - grace)
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
    """Hold a running campaign; workers notice before their next message. `reason` and, in words, `detail` say why where no person did.

    Raises ImpossibleMove.
    """
    with transaction.atomic():
        _move(campaign, {State.RUNNING}, State.PAUSED)
        campaign.runs.filter(state__in=UNDER_WAY).update(
            state=CampaignRun.State.PAUSED, pause_reason=reason, error=detail
        )
    return campaign


def resume(campaign: Campaign, *, by: User | None = None) -> Campaign:
    """Go on where a paused campaign stopped. Whoever resumes one that stopped by itself accepts what stopped it: a provider that does
    not answer is asked again, and bounces and complaints are counted anew.

    Raises ImpossibleMove.
    """
    with transaction.atomic():
        _move(campaign, {State.PAUSED}, State.RUNNING)
        for run in campaign.runs.filter(state=CampaignRun.State.PAUSED):
            if run.pause_reason in {PauseReason.BOUNCES, PauseReason.COMPLAINTS}:
                run.watched_from = timezone.now()
            if run.pause_reason == PauseReason.PROVIDER and by:
                breaker.close(run.sender_id)
            run.state, run.pause_reason, run.error = _where_it_stopped(run), "", ""
            run.save(update_fields=["state", "pause_reason", "error", "watched_from"])
            _work_on(run)
    return campaign


def cancel(campaign: Campaign, *, by: User | None = None) -> Campaign:
    """End the campaign; what has not left yet is skipped as cancelled. Raises ImpossibleMove."""
    return _end(campaign, State.CANCELLED, CampaignRun.State.CANCELLED)


def complete(campaign: Campaign, *, by: User | None = None) -> Campaign:
    """End a running campaign early and count it as done; what has not left yet is skipped. Raises ImpossibleMove."""
    return _end(campaign, State.COMPLETED, CampaignRun.State.FINISHED)


def finish_run(run: CampaignRun) -> bool:
    """Close a run that has nothing left to send, and its campaign with it; False when it has, or is not sending."""
    if run.executions.under_way().exists():
        return False
    now = timezone.now()
    with transaction.atomic():
        won = CampaignRun.objects.filter(pk=run.pk, state=CampaignRun.State.SENDING).update(
            state=CampaignRun.State.FINISHED, finished_at=now, error=""
        )
        if not won:
            return False
        Campaign.objects.filter(pk=run.campaign_id, state=State.RUNNING).update(
            state=State.COMPLETED, completed_at=now
        )
        emit(
            events.CAMPAIGN_COMPLETED,
            subject=f"campaign/{run.campaign_id}",
            data={"campaign": run.campaign_id, "run": run.pk},
        )
    return True


def check_ready(campaign: Campaign) -> None:
    """Raises NotReady when the campaign could not be sent: no audience chosen, or content that is not Liquid."""
    try:
        audience.customers_of(campaign)
        Renderer(campaign.template, campaign_name=campaign.name)
    except audience.NoAudience as error:
        raise NotReady(_("Choose segments or rules: who should get it?")) from error
    except liquid.ContentError as error:
        raise NotReady(_("The template cannot be rendered: %s") % error) from error
    except ValueError as error:
        raise NotReady(str(error)) from error


def _end(campaign: Campaign, state: str, run_state: str) -> Campaign:
    sources = {source for source, targets in MOVES.items() if state in targets}
    now = timezone.now()
    with transaction.atomic():
        _move(campaign, sources, state, completed_at=now)
        schedule.forget(campaign)
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


def _move(campaign: Campaign, sources: Iterable[str], target: str, **changes: Any) -> None:
    """Change the state if the row still has one of `sources`, and the object with it. Raises ImpossibleMove."""
    allowed = [source for source in sources if target in MOVES[source]]
    won = Campaign.objects.filter(pk=campaign.pk, state__in=allowed).update(
        state=target, updated_at=timezone.now(), **changes
    )
    if not won:
        campaign.refresh_from_db(fields=["state"])
        raise ImpossibleMove(campaign.state, target)
    campaign.state = target
    for name, value in changes.items():
        setattr(campaign, name, value)


def _where_it_stopped(run: CampaignRun) -> str:
    if run.started_at is None:
        return CampaignRun.State.QUEUED
    return CampaignRun.State.SENDING if run.audience else CampaignRun.State.MATERIALISING


def _work_on(run: CampaignRun) -> None:
    from marketing.tasks import send_run

    transaction.on_commit(partial(send_run.delay, run.pk))
