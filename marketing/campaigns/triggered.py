"""Triggered campaigns: an event on the timeline sends its customer a message.

A launched campaign has a run for each day with events, with the content of its launch; a customer is in a run once. Audience, exclusions
and sending are those of any campaign.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from customers.segments import RuleError, triggers
from customers.timeline import Row
from marketing.campaigns import runs
from marketing.campaigns.audience import NoAudience, recipients
from marketing.campaigns.checks import check_approved
from marketing.campaigns.moves import pause
from marketing.campaigns.states import NotApproved
from marketing.messages import batches, enqueue
from marketing.models import Campaign, CampaignExecution, CampaignRun

logger = logging.getLogger(__name__)

FRESH = timedelta(days=1)
"""Older events, such as those of an imported file, trigger nothing."""

SkipReason = CampaignExecution.SkipReason
ExecutionState = CampaignExecution.State


def check_trigger(event: object, where: object) -> tuple[str, list[dict[str, Any]]]:
    """Return a trigger's event and conditions as they are stored. Raises RuleError, also for events that trigger nothing."""
    return triggers.check_event(event, where)


def react(rows: Sequence[Row]) -> None:
    """Add the customers of these events to the running campaigns that the events trigger."""
    triggered = Campaign.objects.filter(
        type=Campaign.Type.TRIGGERED,
        state=Campaign.State.RUNNING,
        trigger_event__in={row.type for row in rows},
    )
    fresh = timezone.now() - FRESH
    for campaign in triggered.select_related("topic", "sender").order_by("pk"):
        event, where = campaign.trigger_event, campaign.trigger_where
        try:
            with transaction.atomic():
                _send_for(campaign, triggers.fitting_events(event, where, rows, since=fresh))
        except (RuleError, NoAudience):
            logger.warning("Campaign %s no longer fits its event or its audience.", campaign.pk)
        except NotApproved as error:
            logger.warning("Campaign %s is paused: %s", campaign.pk, error)
            pause(campaign, reason=CampaignRun.PauseReason.APPROVAL, detail=str(error))


def _send_for(campaign: Campaign, events: Mapping[int, Row]) -> None:
    """Enqueue a message for each customer's event, the properties of which its variables `event.…` stand for."""
    wanted = sorted({*events} - _already_received(campaign, events))
    if not wanted:
        return
    check_approved(campaign)
    run = runs.of_today(campaign)
    chosen = recipients(campaign, run, among=wanted)
    contexts = {customer: {"event": events[customer].properties} for customer in wanted}
    added = enqueue(run, chosen, not_before=_not_before(campaign), contexts=contexts).messages
    if added:
        CampaignRun.objects.filter(pk=run.pk).update(audience=F("audience") + added)
        batches.work_on(run)


def _already_received(campaign: Campaign, customers: Collection[int]) -> set[int]:
    """Return ids of customers who may not receive the message again yet. Skipped customers may; a holdout counts as received."""
    chosen = CampaignExecution.objects.filter(
        ~Q(state=ExecutionState.SKIPPED) | Q(skip_reason=SkipReason.HOLDOUT),
        run__campaign=campaign,
        customer__in=customers,
    )
    if campaign.trigger_again_days is not None:
        again = timezone.now() - timedelta(days=campaign.trigger_again_days)
        chosen = chosen.filter(created_at__gt=again)
    return set(chosen.values_list("customer", flat=True))


def _not_before(campaign: Campaign) -> datetime | None:
    return timezone.now() + campaign.trigger_delay if campaign.trigger_delay else None
