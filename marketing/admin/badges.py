"""Badges and icons of states and channels."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from crm.adminkit import display
from crm.adminkit.display import Tone
from customers.models.consent import Channel
from marketing.models import Campaign, CampaignExecution, Enrollment, Sender, Workflow

CAMPAIGN_TONES: dict[str, Tone] = {
    Campaign.State.DRAFT: "neutral",
    Campaign.State.SCHEDULED: "info",
    Campaign.State.RUNNING: "primary",
    Campaign.State.PAUSED: "warning",
    Campaign.State.COMPLETED: "success",
    Campaign.State.CANCELLED: "neutral",
}
MESSAGE_TONES: dict[str, Tone] = {
    CampaignExecution.State.PENDING: "neutral",
    CampaignExecution.State.SENDING: "primary",
    CampaignExecution.State.RETRY: "warning",
    CampaignExecution.State.SENT: "info",
    CampaignExecution.State.DELIVERED: "success",
    CampaignExecution.State.BOUNCED: "danger",
    CampaignExecution.State.COMPLAINED: "danger",
    CampaignExecution.State.FAILED: "danger",
    CampaignExecution.State.SKIPPED: "neutral",
    CampaignExecution.State.UNCONFIRMED: "warning",
}
WORKFLOW_TONES: dict[str, Tone] = {
    Workflow.State.DRAFT: "neutral",
    Workflow.State.ACTIVE: "success",
    Workflow.State.PAUSED: "warning",
    Workflow.State.ARCHIVED: "neutral",
}
PASSAGE_TONES: dict[str, Tone] = {
    Enrollment.State.ACTIVE: "primary",
    Enrollment.State.WAITING: "info",
    Enrollment.State.COMPLETED: "success",
    Enrollment.State.EXITED: "neutral",
    Enrollment.State.FAILED: "danger",
}
CHANNEL_ICONS: dict[str, str] = {
    Channel.EMAIL: "mail",
    Channel.SMS: "sms",
    Channel.WHATSAPP: "chat",
    Channel.PUSH: "notifications",
    Channel.SOCIAL: "share",
    Channel.WEBHOOK: "webhook",
}


def sends_as(sender: Sender) -> str:
    """Return the name and address that recipients see."""
    if sender.from_name and sender.from_address:
        return f"{sender.from_name} <{sender.from_address}>"
    return sender.from_name or sender.from_address


def campaign_state(campaign: Campaign) -> SafeString:
    if campaign.historical:
        return display.badge(_("Imported"), "neutral")
    return display.badge(campaign.get_state_display(), CAMPAIGN_TONES[campaign.state])


def message_state(execution: CampaignExecution) -> SafeString:
    return display.badge(execution.get_state_display(), MESSAGE_TONES[execution.state])


def workflow_state(workflow: Workflow) -> SafeString:
    return display.badge(workflow.get_state_display(), WORKFLOW_TONES[workflow.state])


def passage_state(passage: Enrollment) -> SafeString:
    return display.badge(passage.get_state_display(), PASSAGE_TONES[passage.state])


def simulated() -> SafeString:
    return display.badge(_("Simulated"), "warning")


def channel_label(channel: str) -> str:
    """Return the label of a channel; another medium, such as TV, by its name."""
    return str(dict(Channel.choices).get(channel, channel))


def channel_icon(channel: str) -> SafeString:
    return format_html(
        '<span class="material-symbols-outlined text-base-400 dark:text-base-500" title="{}">{}</span>',
        channel_label(channel),
        CHANNEL_ICONS.get(channel, "campaign"),
    )


def named(name: str, channel: str) -> SafeString:
    """Return a name with the icon of its channel."""
    return format_html(
        '<span class="inline-flex items-center gap-2">{}{}</span>', channel_icon(channel), name
    )
