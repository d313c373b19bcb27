"""Campaigns and what belongs to them, ready to use; every field may be given."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from django.utils import timezone

from customers.models import Customer, Segment
from marketing.campaigns import runs
from marketing.content import versions
from marketing.models import (
    Campaign,
    CampaignExecution,
    CampaignRun,
    CampaignTemplate,
    CampaignVariant,
    FrequencyRule,
    Sender,
)

EVERYONE: dict[str, Any] = {"operator": "AND", "conditions": []}

_numbers = count(1)


def make_template(**fields: Any) -> CampaignTemplate:
    number = next(_numbers)
    given = {
        "name": f"Template {number}",
        "subject": "Hello {{ customer.first_name }}",
        "body": "<p>Hi {{ customer.first_name }}</p>",
        **fields,
    }
    return CampaignTemplate.objects.create(**given)


def make_sender(**fields: Any) -> Sender:
    """An SMTP sender, unless another provider is given."""
    number = next(_numbers)
    given = {
        "name": f"Sender {number}",
        "provider": "smtp",
        "from_name": "Kindling",
        "from_address": "hello@kindling.example",
        **fields,
    }
    return Sender.objects.create(**given)


def make_campaign(
    *, segments: Iterable[Segment] = (), exclude_segments: Iterable[Segment] = (), **fields: Any
) -> Campaign:
    """A draft, for everyone unless segments or rules (or `rules=None`) are given."""
    segments = list(segments)
    given = {
        "name": f"Campaign {next(_numbers)}",
        "rules": None if segments else EVERYONE,
        "template": fields.get("template") or make_template(channel=fields.get("channel", "email")),
        "sender": fields.get("sender") or make_sender(),
        "next_run_at": fields.get("scheduled_at"),
        **fields,
    }
    campaign = Campaign.objects.create(**given)
    campaign.segments.set(segments)
    campaign.exclude_segments.set(exclude_segments)
    return campaign


def make_run(campaign: Campaign | None = None, **fields: Any) -> CampaignRun:
    """A run in the middle of sending, of a campaign in any state: the row alone, without a launch."""
    campaign = campaign or make_campaign()
    if campaign.launched_at is None:
        campaign.launched_at = timezone.now()
        campaign.save(update_fields=["launched_at"])
    given = {
        "number": campaign.runs.count() + 1,
        "state": CampaignRun.State.SENDING,
        "version": fields.get("version") or versions.freeze(campaign.template),
        "sender": campaign.sender,
        "simulated": campaign.sender.simulated,
        **fields,
    }
    return CampaignRun.objects.create(campaign=campaign, **given)


def make_execution(run: CampaignRun, customer: Customer, **fields: Any) -> CampaignExecution:
    return CampaignExecution.objects.create(
        run=run, customer=customer, **{"address": customer.email or "", **fields}
    )


def make_variants(campaign: Campaign, **weights: int) -> list[CampaignVariant]:
    """A variant a name, each with a template whose subject is that name: `make_variants(campaign, A=1, B=3)`."""
    return [
        CampaignVariant.objects.create(
            campaign=campaign,
            name=name,
            weight=weight,
            template=make_template(subject=name, channel=campaign.channel),
        )
        for name, weight in weights.items()
    ]


def make_cap(messages: int = 1, days: int = 7, **fields: Any) -> FrequencyRule:
    number = next(_numbers)
    given = {"name": f"Cap {number}", "messages": messages, "days": days, **fields}
    return FrequencyRule.objects.create(**given)


def take_snapshot(run: CampaignRun) -> None:
    """Collect the whole audience of a launched run, and send nothing."""
    while runs.fill(run):
        pass
