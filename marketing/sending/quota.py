"""How many messages an owner's batches may still send, by their hourly limit and budget, over all workers."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from math import ceil, inf

from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from marketing.messages import batches, queue
from marketing.messages.eligibility import HANDED_OVER
from marketing.messages.plan import ClaimedMessage, Limits
from marketing.models import CampaignExecution, CampaignRun

HOUR = timedelta(hours=1)

State = CampaignExecution.State


def left(batch: CampaignRun, limits: Limits) -> float:
    """Return how many messages may still be claimed, counting claimed ones as sent; infinite without a limit.

    This causes SQL queries where there are limits.
    """
    return max(
        0,
        min(
            _left_this_hour(batch, limits, count_claimed=True),
            _left_to_spend(batch, limits, count_claimed=True),
        ),
    )


@transaction.atomic
def claim(
    batch: CampaignRun, limits: Limits, lease: uuid.UUID, size: int = queue.CLAIM_SIZE
) -> list[ClaimedMessage]:
    """Claim the next due messages of a batch within its limits; other workers of its owner wait meanwhile."""
    if limits.per_hour or limits.affordable is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('quota of', %s))",
                [batch.campaign_id],
            )
        size = int(min(size, left(batch, limits)))
    return queue.claim(batch, lease, size)


def hold_if_spent(batch: CampaignRun, limits: Limits) -> bool:
    """Hold a batch with messages left when its budget does not pay for one more; returns whether it does not."""
    if _left_to_spend(batch, limits) >= 1 or not batch.executions.waiting().exists():
        return False
    detail = _(
        "The budget of %(budget)s is used up: one more message costs %(cost)s. Raise the budget and resume, or complete the campaign."
    ) % {"budget": limits.budget, "cost": limits.cost}
    batches.hold(batch, reason=CampaignRun.PauseReason.BUDGET, detail=detail)
    return True


def more_at(batch: CampaignRun, limits: Limits) -> datetime | None:
    """Return when the hourly limit allows the next message; None while it allows one now."""
    return _exhausted_until(batch, limits) if _left_this_hour(batch, limits) <= 0 else None


def done_at(batch: CampaignRun, limits: Limits, to_do: int, rate: float) -> datetime | None:
    """Return when `to_do` messages are sent at a rate per second, within the hourly limit; None while unknown."""
    now = timezone.now()
    left = _left_this_hour(batch, limits)
    if to_do <= left:
        return now + timedelta(seconds=to_do / rate) if rate else None
    assert limits.per_hour
    hours = ceil((to_do - left) / limits.per_hour)
    last_hour = to_do - left - (hours - 1) * limits.per_hour
    first = _exhausted_until(batch, limits) if left <= 0 else None
    sending = timedelta(seconds=last_hour / rate if rate else 0)
    return (first or now + HOUR) + (hours - 1) * HOUR + sending


def _exhausted_until(batch: CampaignRun, limits: Limits) -> datetime | None:
    limit = limits.per_hour
    assert limit
    recent = CampaignExecution.objects.filter(
        run__in=batch.siblings, sent_at__gte=timezone.now() - HOUR
    )
    oldest = (
        recent.order_by("-sent_at").values_list("sent_at", flat=True)[limit - 1 : limit].first()
    )
    return oldest + HOUR if oldest else None


def _left_this_hour(batch: CampaignRun, limits: Limits, *, count_claimed: bool = False) -> float:
    if not limits.per_hour:
        return inf
    hour_ago = timezone.now() - HOUR
    in_flight = Q(state__in=[State.SENDING, State.UNCONFIRMED], sending_at__gte=hour_ago)
    sent = Q(sent_at__gte=hour_ago) | in_flight
    return limits.per_hour - _count(batch, sent, count_claimed=count_claimed)


def _left_to_spend(batch: CampaignRun, limits: Limits, *, count_claimed: bool = False) -> float:
    if limits.affordable is None:
        return inf
    audience = batch.siblings.aggregate(sum=Sum("audience"))["sum"] or 0
    if audience <= limits.affordable:
        return inf  # nothing to count while the budget pays for all of them
    sent = Q(state__in=HANDED_OVER)
    return limits.affordable - _count(batch, sent, count_claimed=count_claimed)


def _count(batch: CampaignRun, sent: Q, *, count_claimed: bool) -> int:
    """Count messages of all batches of the owner, by one statement: a claimed message may be sent a moment later."""
    if count_claimed:
        sent |= Q(state__in=[State.PENDING, State.RETRY], leased_until__gte=timezone.now())
    return CampaignExecution.objects.filter(sent, run__in=batch.siblings).count()
