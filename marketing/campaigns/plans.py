"""What a campaign sends and within which bounds, as the plan that sending reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from marketing.content import UtmTags
from marketing.messages.due import UNKNOWN_ZONE, quiet_windows
from marketing.messages.eligibility import Policy, frequency_caps
from marketing.messages.plan import Limits, SendPlan
from marketing.models import Campaign, CampaignRun
from marketing.schedule import wall_clock


def plan_of(run: CampaignRun) -> SendPlan:
    """Return the plan of a run: its frozen content and sender, and the campaign's bounds as they are now."""
    campaign = run.campaign
    return SendPlan(
        name=campaign.name,
        sender=run.sender,
        reply_to=campaign.reply_to or run.sender.reply_to,
        version=run.version,
        variants={each.name: each.version for each in run.variants.select_related("version")},
        policy=policy_of(campaign, run),
        limits=_limits(run),
        utm=UtmTags.of(campaign),
        local_due=_local_due(run),
    )


def policy_of(campaign: Campaign, run: CampaignRun | None = None) -> Policy:
    """Return the policy of a campaign, or of a run that freezes whether it is simulated."""
    channel = campaign.channel
    return Policy(
        channel=channel,
        topic=campaign.topic_slug,
        send_once_key=campaign.send_once_key,
        caps=() if campaign.exempt_from_caps else frequency_caps(channel),
        quiet=() if campaign.exempt_from_quiet_hours else quiet_windows(channel),
        simulated=run.simulated if run else campaign.sender.simulated,
    )


def _limits(run: CampaignRun) -> Limits:
    campaign = run.campaign
    cost = campaign.cost_per_message
    return Limits(
        per_hour=campaign.hourly_limit,
        budget=campaign.budget,
        cost=run.sender.cost_per_message if cost is None else cost,
    )


def _local_due(run: CampaignRun) -> Mapping[str, datetime]:
    campaign = run.campaign
    if not campaign.local_time or run.due_at is None:
        return {}
    return {
        **wall_clock.everywhere(run.due_at),
        UNKNOWN_ZONE: wall_clock.in_zone(run.due_at, campaign.timezone),
    }
