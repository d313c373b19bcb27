"""The check repeated when messages are about to leave: consent, suppression, caps and quiet hours may have changed since."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from customers import consent
from marketing.messages import queue, transitions
from marketing.messages.due import quiet_until
from marketing.messages.eligibility import Policy, SkipReason, skip_reason
from marketing.messages.plan import ClaimedMessage
from marketing.models import CampaignExecution


def skip_ineligible(policy: Policy, lease: uuid.UUID, claimed: Sequence[ClaimedMessage]) -> None:
    """Skip claimed messages to customers who may not get one any more, each with its reason."""
    reason = skip_reason(policy, address="address", customer="customer__", message="pk")
    rows = (
        CampaignExecution.objects.filter(pk__in=[each.pk for each in claimed])
        .annotate(reason=reason)
        .exclude(reason="")
        .values_list("reason", "pk")
    )
    by_reason: dict[str, list[int]] = defaultdict(list)
    for found, pk in rows:
        by_reason[found].append(pk)
    for found, ids in by_reason.items():
        transitions.skip(ids, lease, found)


def without_erased(lease: uuid.UUID, claimed: Sequence[ClaimedMessage]) -> Sequence[ClaimedMessage]:
    """Skip claimed messages to the addresses of erased customers; returns the others."""
    erased = consent.erased_among(each.address for each in claimed)
    if not erased:
        return claimed
    ids = [each.pk for each in claimed if each.address in erased]
    transitions.skip(ids, lease, SkipReason.SUPPRESSED)
    return [each for each in claimed if each.address not in erased]


def without_quiet(
    policy: Policy, lease: uuid.UUID, claimed: Sequence[ClaimedMessage]
) -> Sequence[ClaimedMessage]:
    """Postpone claimed messages to customers in quiet hours until those end; returns the others."""
    if not policy.quiet:
        return claimed
    now = timezone.now()
    zones = {each.customer["timezone"] for each in claimed}
    ends = {zone: quiet_until(policy.quiet, zone, now) for zone in zones}
    waiting: dict[datetime, list[int]] = defaultdict(list)
    for each in claimed:
        if end := ends[each.customer["timezone"]]:
            waiting[end].append(each.pk)
    for end, ids in waiting.items():
        queue.postpone(ids, lease, end)
    return [each for each in claimed if ends[each.customer["timezone"]] is None]
