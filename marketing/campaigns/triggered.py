"""Triggered campaigns: whoever does what the campaign waits for gets its message.

A triggered campaign that is launched has a run for each day on which something happened, with the content of its launch; a person is in
one of them once. Whom the campaign is for, who is left out, and how messages leave are as for any other campaign.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from customers.segments import RuleError, triggers
from marketing.campaigns import runs
from marketing.campaigns.audience.customers import NoAudience
from marketing.campaigns.audience.recipients import recipients
from marketing.messages import batches
from marketing.messages.queue import enqueue
from marketing.models import Campaign, CampaignExecution, CampaignRun

logger = logging.getLogger(__name__)

FRESH = timedelta(days=1)
"""What happened longer ago than this, as in a file of the past, triggers nothing."""

SkipReason = CampaignExecution.SkipReason
ExecutionState = CampaignExecution.State


def check_trigger(event: object, where: object) -> tuple[str, list[dict[str, Any]]]:
    """Return a trigger's event and conditions as they are stored. Raises RuleError, also for events that trigger nothing."""
    return triggers.check_event(event, where)


def react(event: str, keys: Sequence[int]) -> None:
    """Let the running campaigns that wait for the event write to the people of those of its new rows, given by key, that fit."""
    waiting = Campaign.objects.filter(
        type=Campaign.Type.TRIGGERED, state=Campaign.State.RUNNING, trigger_event=event
    )
    for campaign in waiting.select_related("topic", "sender").order_by("pk"):
        try:
            with transaction.atomic():
                _write_to(
                    campaign,
                    triggers.people(
                        event, campaign.trigger_where, keys, since=timezone.now() - FRESH
                    ),
                )
        except (RuleError, NoAudience):
            logger.warning("Campaign %s no longer fits its event or its audience.", campaign.pk)


def _write_to(campaign: Campaign, people: Sequence[int]) -> None:
    wanted = sorted({*people} - _had_it(campaign, people))
    if not wanted:
        return
    run = runs.of_today(campaign)
    chosen = recipients(campaign, run, among=wanted)
    if added := enqueue(run, chosen, not_before=_not_before(campaign)).messages:
        CampaignRun.objects.filter(pk=run.pk).update(audience=F("audience") + added)
        batches.work_on(run)


def _had_it(campaign: Campaign, people: Sequence[int]) -> set[int]:
    """Who got it, or will, and may not get it again yet. Who was skipped may; who is held out would have got it."""
    chosen = CampaignExecution.objects.filter(
        ~Q(state=ExecutionState.SKIPPED) | Q(skip_reason=SkipReason.HOLDOUT),
        run__campaign=campaign,
        customer__in=people,
    )
    if campaign.trigger_again_days is not None:
        again = timezone.now() - timedelta(days=campaign.trigger_again_days)
        chosen = chosen.filter(created_at__gt=again)
    return set(chosen.values_list("customer", flat=True))


def _not_before(campaign: Campaign) -> datetime | None:
    return timezone.now() + campaign.trigger_delay if campaign.trigger_delay else None
