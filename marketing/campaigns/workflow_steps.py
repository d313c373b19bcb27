"""The campaigns of workflow steps: one a step over all versions of its workflow, fed with visits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from crm.accounts.models import User
from marketing.campaigns import runs
from marketing.campaigns.audience import recipients
from marketing.campaigns.checks import check_ready
from marketing.campaigns.drafts import set_variants
from marketing.messages import Visit, batches, enqueue_visits
from marketing.models import Campaign, CampaignRun

State = Campaign.State


@transaction.atomic
def start_for_step(
    campaign: Campaign, variants: Iterable[Mapping[str, Any]], *, by: User | None
) -> CampaignRun:
    """Save the campaign of a step, and start a run with its content as it is now.

    Raises NotReady where it could not be sent, and ContentError where its template cannot be read.
    """
    now = timezone.now()
    campaign.type, campaign.state = Campaign.Type.WORKFLOW, State.RUNNING
    campaign.launched_at = campaign.launched_at or now
    campaign.created_by = campaign.created_by or by
    campaign.save()
    set_variants(campaign, variants)
    check_ready(campaign)
    return runs.start_fed(campaign, by=by)


def feed(campaign: Campaign, visits: Sequence[Visit]) -> dict[str, str]:
    """Enqueue a message for each visit; returns the skip reason of each visit by its name, "" for none."""
    run = runs.of_today(campaign)
    customers = sorted({each.customer_id for each in visits})
    reasons = enqueue_visits(run, recipients(campaign, run, among=customers), visits)
    CampaignRun.objects.filter(pk=run.pk).update(audience=F("audience") + len(reasons))
    batches.work_on(run)
    return reasons
