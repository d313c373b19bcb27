"""How many messages of a campaign may still leave, by its drip rate and its budget, over all workers and runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from math import inf

from django.db import connection
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from marketing.messages import batches
from marketing.messages.eligibility import HANDED_OVER
from marketing.models import CampaignExecution, CampaignRun

HOUR = timedelta(hours=1)

State = CampaignExecution.State


def is_limited(run: CampaignRun) -> bool:
    """Whether the campaign has a drip rate or a budget that counts messages."""
    return bool(run.campaign.hourly_limit or _counts_cost(run))


def left(run: CampaignRun) -> float:
    """How many messages may still be held by workers now: what is held already is as good as sent. Infinite without a limit.

    This causes SQL queries for a limited campaign alone.
    """
    return max(0, min(_left_this_hour(run, or_held=True), _left_to_spend(run, or_held=True)))


def reserve(run: CampaignRun, wanted: int) -> int:
    """How many of `wanted` messages a worker may hold. Other workers of the campaign wait until the caller's transaction ends."""
    if not is_limited(run):
        return wanted
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('quota of', %s))", [run.campaign_id]
        )
    return int(min(wanted, left(run)))


def pause_if_spent(run: CampaignRun) -> bool:
    """Pause a campaign with messages to send of which its budget does not pay one more; True when it is paused."""
    if _left_to_spend(run) >= 1 or not run.executions.waiting().exists():
        return False
    detail = _(
        "The budget of %(budget)s is used up: one more message costs %(cost)s. Raise the budget and resume, or complete the campaign."
    ) % {"budget": run.campaign.budget, "cost": cost_of_message(run)}
    batches.hold(run, reason=CampaignRun.PauseReason.BUDGET, detail=detail)
    return True


def more_at(run: CampaignRun) -> datetime | None:
    """When the drip rate lets the next message leave; None while it lets one leave now."""
    limit = run.campaign.hourly_limit
    if not limit or _left_this_hour(run) > 0:
        return None
    recent = CampaignExecution.objects.filter(
        run__campaign=run.campaign_id, sent_at__gte=timezone.now() - HOUR
    )
    oldest = (
        recent.order_by("-sent_at").values_list("sent_at", flat=True)[limit - 1 : limit].first()
    )
    return oldest + HOUR if oldest else None


def cost_of_message(run: CampaignRun) -> Decimal:
    """In the site's currency: what the campaign says, else its sender."""
    own = run.campaign.cost_per_message
    return run.sender.cost_per_message if own is None else own


def _counts_cost(run: CampaignRun) -> bool:
    return run.campaign.budget is not None and cost_of_message(run) > 0


def _left_this_hour(run: CampaignRun, *, or_held: bool = False) -> float:
    limit = run.campaign.hourly_limit
    if not limit:
        return inf
    hour_ago = timezone.now() - HOUR
    on_its_way = Q(state__in=[State.SENDING, State.UNCONFIRMED], sending_at__gte=hour_ago)
    return limit - _count(run, Q(sent_at__gte=hour_ago) | on_its_way, or_held=or_held)


def _left_to_spend(run: CampaignRun, *, or_held: bool = False) -> float:
    if not _counts_cost(run):
        return inf
    assert run.campaign.budget is not None
    affordable = int(run.campaign.budget / cost_of_message(run))
    everybody = run.campaign.runs.aggregate(sum=Sum("audience"))["sum"] or 0
    if everybody <= affordable:
        return inf  # nothing to count while all of them together can be paid
    return affordable - _count(run, Q(state__in=HANDED_OVER), or_held=or_held)


def _count(run: CampaignRun, gone: Q, *, or_held: bool) -> int:
    """Of all runs of the campaign, in one statement: what a worker holds may be gone the moment after."""
    if or_held:
        gone |= Q(state__in=[State.PENDING, State.RETRY], leased_until__gte=timezone.now())
    return CampaignExecution.objects.filter(gone, run__campaign=run.campaign_id).count()
