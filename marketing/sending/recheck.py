"""The check that is made again when messages are about to leave: whoever opted out, paused, was suppressed or has had enough since
gets nothing, and nobody is woken."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Self

from django.db.models import BigIntegerField, CharField
from django.db.models.expressions import RawSQL
from django.utils import timezone

from customers.models import Customer
from customers.privacy import fingerprints
from marketing.messages import due, eligibility
from marketing.messages.eligibility import Policy, SkipReason
from marketing.models import CampaignExecution, CampaignRun
from marketing.sending.claimed_message import Held


@dataclass(frozen=True, slots=True)
class Rules:
    """What the messages of a run are judged by, as it is at the beginning of a worker's turn."""

    policy: Policy
    quiet: tuple[due.Span, ...]

    @classmethod
    def of(cls, run: CampaignRun) -> Self:
        policy = eligibility.policy_of(run.campaign, simulated=run.simulated)
        return cls(policy, due.of(run.campaign))


def pass_over(rules: Rules, lease: uuid.UUID, held: Sequence[Held]) -> None:
    """Skip those of the held messages whose people may not be written to any more, with the reason."""
    reason = eligibility.skip_reason(
        rules.policy, address="address", customer="customer__", message="pk"
    )
    reasons = dict(
        CampaignExecution.objects.filter(pk__in=[each.pk for each in held])
        .annotate(reason=reason)
        .values_list("pk", "reason")
    )
    for why in set(reasons.values()) - {""}:
        _skip([pk for pk, found in reasons.items() if found == why], lease, why)


def without_erased(lease: uuid.UUID, batch: Sequence[Held]) -> list[Held]:
    """Skip those of a held batch whose address is an erased person's; returns the others."""
    erased = fingerprints.known(each.address for each in batch)
    if erased:
        gone = [each.pk for each in batch if each.address in erased]
        _skip(gone, lease, SkipReason.SUPPRESSED)
    return [each for each in batch if each.address not in erased]


def without_sleeping(rules: Rules, lease: uuid.UUID, batch: Sequence[Held]) -> list[Held]:
    """Let go of those of a held batch in whose time zones hours are quiet, until they are over; returns the others."""
    if not rules.quiet:
        return list(batch)
    now = timezone.now()
    zones = {each.person["timezone"] for each in batch}
    over_in = {zone: due.over_at(rules.quiet, zone, now) for zone in zones}
    asleep: dict[datetime, list[int]] = defaultdict(list)
    for each in batch:
        if over := over_in[each.person["timezone"]]:
            asleep[over].append(each.pk)
    for over, messages in asleep.items():
        CampaignExecution.objects.filter(pk__in=messages, lease=lease).waiting().update(
            next_attempt_at=over, lease=None, leased_until=None
        )
    return [each for each in batch if over_in[each.person["timezone"]] is None]


def reason_sql(rules: Rules) -> tuple[str, tuple[Any, ...]]:
    """The reason as a subquery about the row that is called `message` around it, and its parameters."""
    return _compiled(rules.policy)


@lru_cache
def _compiled(policy: Policy) -> tuple[str, tuple[Any, ...]]:
    recipient = Customer.objects.filter(pk=RawSQL("message.customer_id", ())).annotate(
        to=RawSQL("message.address", (), output_field=CharField()),
        message=RawSQL("message.id", (), output_field=BigIntegerField()),
    )
    reason = eligibility.skip_reason(policy, address="to", message="message")
    return recipient.annotate(reason=reason).values_list("reason").query.sql_with_params()


def _skip(messages: Sequence[int], lease: uuid.UUID, reason: str) -> None:
    CampaignExecution.objects.filter(pk__in=messages, lease=lease).waiting().update(
        state=CampaignExecution.State.SKIPPED,
        skip_reason=reason,
        lease=None,
        leased_until=None,
    )
