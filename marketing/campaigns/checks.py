"""Check a campaign before it is sent: an audience, a channel for its templates, content without errors."""

from __future__ import annotations

from django.utils.translation import gettext as _

from marketing.campaigns.audience import NoAudience, customers_of
from marketing.campaigns.states import NotReady
from marketing.content import Finding, check
from marketing.models import Campaign, CampaignTemplate


def check_ready(campaign: Campaign) -> None:
    """Raises NotReady for a campaign without an audience or with content that cannot be sent."""
    try:
        customers_of(campaign)
    except NoAudience as error:
        raise NotReady(
            _("It has no audience: choose segments or add an audience filter.")
        ) from error
    except ValueError as error:
        raise NotReady(str(error)) from error
    for template in templates_of(campaign):
        if template.channel != campaign.channel:
            raise NotReady(
                _("%(template)s is for %(channel)s, which the sender does not send.")
                % {"template": template, "channel": template.get_channel_display()}
            )
    for template, found in findings(campaign).items():
        if errors := [each.message for each in found if each.level == "error"]:
            raise NotReady(f"{template}: {' '.join(errors)}")


def findings(campaign: Campaign) -> dict[CampaignTemplate, list[Finding]]:
    """Check the campaign's templates; returns the findings of those that have any."""
    context = ("event",) if campaign.trigger_event else ()
    found = {template: check(template, context=context) for template in templates_of(campaign)}
    return {template: each for template, each in found.items() if each}


def templates_of(campaign: Campaign) -> list[CampaignTemplate]:
    """Return the campaign's own template and those of its variants."""
    variants = campaign.variants.select_related("template")
    return list(dict.fromkeys([campaign.template, *(variant.template for variant in variants)]))
