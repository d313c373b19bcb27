"""Simulated engagement: what the simulator invents for each message, recorded once its time has come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from crm.api import ids
from customers.timeline import types
from marketing.channels import REACTION_TIME, Act, Reaction, reactions
from marketing.models import CampaignExecution, CampaignRun
from marketing.tracking.engagement import FIRST_TIMES, MessageEvent, record

EVENT_OF = {
    Act.DELIVER: types.MESSAGE_DELIVERED,
    Act.BOUNCE: types.MESSAGE_BOUNCED,
    Act.OPEN: types.MESSAGE_OPENED,
    Act.CLICK: types.MESSAGE_CLICKED,
    Act.CONVERT: types.MESSAGE_CONVERTED,
    Act.UNSUBSCRIBE: types.UNSUBSCRIBED,
}
CHUNK = 1_000

SLACK = timedelta(minutes=1)
"""How much later than it says a message's sending may have been committed."""


def simulate_engagement(now: datetime | None = None) -> int:
    """Record every reaction that is due in all simulated runs; returns how many.

    Each is recorded once, however often this is called and after any pause: the message has the times of earlier ones.
    """
    now = now or timezone.now()
    runs = CampaignRun.objects.filter(simulated=True, reactions_done_at__isnull=True)
    return sum(_react(pk, now) for pk in runs.order_by("pk").values_list("pk", flat=True))


def _react(run_id: int, now: datetime) -> int:
    with transaction.atomic():
        run = (
            CampaignRun.objects.select_for_update(skip_locked=True)
            .filter(pk=run_id, reactions_done_at__isnull=True)
            .first()
        )
        if run is None:
            return 0
        recorded = 0
        for chunk in _chunks(run):
            due = [event for each in chunk for event in _due(each, now)]
            record(due)
            recorded += len(due)
        run.reacted_until = now
        if not run.under_way and not _may_react(run, now):
            run.reactions_done_at = now
        run.save(update_fields=["reacted_until", "reactions_done_at"])
    return recorded


def _chunks(run: CampaignRun) -> Iterator[list[CampaignExecution]]:
    """Yield the messages that may still have reactions, in order."""
    recent = Q()
    if run.reacted_until:
        recent = Q(sent_at__gt=run.reacted_until - REACTION_TIME - SLACK)
    messages = CampaignExecution.objects.filter(recent, run=run, sent_at__isnull=False)
    last = 0
    while chunk := list(messages.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield chunk
        last = chunk[-1].pk


def _due(execution: CampaignExecution, now: datetime) -> Iterator[MessageEvent]:
    assert execution.sent_at is not None
    for reaction in reactions(ids.encode("msg", execution.pk)):
        at = execution.sent_at + reaction.after
        if at <= now and getattr(execution, FIRST_TIMES[EVENT_OF[reaction.act]]) is None:
            yield _event(execution, reaction, at)


def _event(execution: CampaignExecution, reaction: Reaction, at: datetime) -> MessageEvent:
    return MessageEvent(execution.pk, EVENT_OF[reaction.act], at, revenue=reaction.revenue or None)


def _may_react(run: CampaignRun, now: datetime) -> bool:
    return run.executions.filter(sent_at__gt=now - REACTION_TIME).exists()
