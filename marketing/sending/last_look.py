"""The check that is made again when messages are about to leave: whoever opted out, paused or was suppressed since gets nothing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.models import CharField
from django.db.models.expressions import RawSQL

from customers.models import Customer
from customers.privacy import fingerprints
from marketing.campaigns.audience import SkipReason, skip_reason
from marketing.models import CampaignExecution, CampaignRun


def pass_over(run: CampaignRun, lease: uuid.UUID, held: Sequence[CampaignExecution]) -> None:
    """Skip those of the held messages whose people may not be written to any more, with the reason."""
    campaign = run.campaign
    reason = skip_reason(
        campaign.channel, campaign.topic_slug, address="address", customer="customer__"
    )
    reasons = dict(
        CampaignExecution.objects.filter(pk__in=[each.pk for each in held])
        .annotate(reason=reason)
        .values_list("pk", "reason")
    )
    for why in set(reasons.values()) - {""}:
        _skip([pk for pk, found in reasons.items() if found == why], lease, why)


def without_erased(lease: uuid.UUID, batch: Sequence[CampaignExecution]) -> list[CampaignExecution]:
    """Skip those of a held batch whose address is an erased person's; returns the others."""
    erased = fingerprints.known(each.address for each in batch)
    if erased:
        gone = [each.pk for each in batch if each.address in erased]
        _skip(gone, lease, SkipReason.SUPPRESSED)
    return [each for each in batch if each.address not in erased]


def reason_sql(run: CampaignRun) -> tuple[str, tuple[Any, ...]]:
    """The reason as a subquery about the row that is called `message` around it, and its parameters."""
    return _compiled(run.campaign.channel, run.campaign.topic_slug)


@lru_cache
def _compiled(channel: str, topic: str) -> tuple[str, tuple[Any, ...]]:
    recipient = Customer.objects.filter(pk=RawSQL("message.customer_id", ())).annotate(
        to=RawSQL("message.address", (), output_field=CharField())
    )
    reason = skip_reason(channel, topic, address="to")
    return recipient.annotate(reason=reason).values_list("reason").query.sql_with_params()


def _skip(messages: Sequence[int], lease: uuid.UUID, reason: str) -> None:
    CampaignExecution.objects.filter(pk__in=messages, lease=lease).waiting().update(
        state=CampaignExecution.State.SKIPPED,
        skip_reason=reason,
        lease=None,
        leased_until=None,
    )
