"""Recipients who do not exist react: what the simulator invents for each message, once its time has come."""

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
from marketing.tracking.engagement import FIRST_TIMES, Happening, record

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


def let_recipients_react(now: datetime | None = None) -> int:
    """Bring about every reaction that is due in all simulated runs; returns how many.

    Each happens once, however often this is called and after any pause: what a message has had already is read off it.
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
        happened = 0
        for chunk in _chunks(run):
            due = [happening for each in chunk for happening in _due(each, now)]
            record(due)
            happened += len(due)
        run.reacted_until = now
        if not run.under_way and not _anyone_left(run, now):
            run.reactions_done_at = now
        run.save(update_fields=["reacted_until", "reactions_done_at"])
    return happened


def _chunks(run: CampaignRun) -> Iterator[list[CampaignExecution]]:
    """The messages that may still have reactions to come, in order."""
    recent = Q()
    if run.reacted_until:
        recent = Q(sent_at__gt=run.reacted_until - REACTION_TIME - SLACK)
    messages = CampaignExecution.objects.filter(recent, run=run, sent_at__isnull=False)
    last = 0
    while chunk := list(messages.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield chunk
        last = chunk[-1].pk


def _due(execution: CampaignExecution, now: datetime) -> Iterator[Happening]:
    assert execution.sent_at is not None
    for reaction in reactions(ids.encode("msg", execution.pk)):
        at = execution.sent_at + reaction.after
        if at <= now and getattr(execution, FIRST_TIMES[EVENT_OF[reaction.act]]) is None:
            yield _happening(execution, reaction, at)


def _happening(execution: CampaignExecution, reaction: Reaction, at: datetime) -> Happening:
    return Happening(execution.pk, EVENT_OF[reaction.act], at, revenue=reaction.revenue or None)


def _anyone_left(run: CampaignRun, now: datetime) -> bool:
    return run.executions.filter(sent_at__gt=now - REACTION_TIME).exists()
