"""What a campaign says, looked at before it is sent."""

from __future__ import annotations

from marketing.content import checks
from marketing.content.checks import Finding
from marketing.models import Campaign, CampaignTemplate


def templates(campaign: Campaign) -> list[CampaignTemplate]:
    """The campaign's own template, and those of its variants."""
    variants = campaign.variants.select_related("template")
    return list(dict.fromkeys([campaign.template, *(variant.template for variant in variants)]))


def findings(campaign: Campaign) -> dict[CampaignTemplate, list[Finding]]:
    """What there is to say about each template before it is sent; templates without a finding are left out."""
    found = {template: checks.check(template) for template in templates(campaign)}
    return {template: each for template, each in found.items() if each}


def of_other_channels(campaign: Campaign) -> list[CampaignTemplate]:
    """The templates that the campaign's channel cannot carry."""
    return [each for each in templates(campaign) if each.channel != campaign.channel]
