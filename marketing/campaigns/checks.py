"""Check a campaign before it is sent: its audience, its content, and the approval of a second user where CAMPAIGN_APPROVAL requires it."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm import masking
from crm.adminkit import display
from customers import clean
from customers.models.consent import Channel
from marketing.campaigns import approval
from marketing.campaigns.audience import NoAudience, customers_of, skipped_for_one_reason
from marketing.campaigns.states import NobodyToSendTo, NotApproved, NotReady
from marketing.channels import get_provider
from marketing.content import (
    NO_TRACKING,
    ContentError,
    Finding,
    Renderer,
    check,
    customer_context,
)
from marketing.models import Campaign, CampaignExecution, CampaignTemplate

SkipReason = CampaignExecution.SkipReason

TRIED = 20
"""Customers whose message is rendered before a campaign starts."""
OF_THE_AUDIENCE = frozenset(
    {
        SkipReason.NO_ADDRESS,
        SkipReason.NOT_SUBSCRIBED,
        SkipReason.SUPPRESSED,
        SkipReason.FREQUENCY_CAP,
    }
)
"""Skip reasons for which a run does not start where they skip everybody: a mistake in the audience, its consents or its caps."""


CONTEXT_OF: dict[str, tuple[str, ...]] = {
    Campaign.Type.TRIGGERED: ("event",),
    Campaign.Type.WORKFLOW: ("entry", "steps"),
}
"""The variables that the messages of a type of campaign bring with them."""


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
    _check_addresses(campaign)
    for template in templates_of(campaign):
        if template.channel != campaign.channel:
            raise NotReady(
                _("%(template)s is for %(channel)s, which the sender does not send.")
                % {"template": template, "channel": template.get_channel_display()}
            )
    for template, found in findings(campaign).items():
        if errors := [each.message for each in found if each.level == "error"]:
            raise NotReady(f"{template}: {' '.join(errors)}")


def check_renders(campaign: Campaign) -> None:
    """Raise NotReady where a template cannot be rendered for any of the first customers, so that all would be skipped.

    A triggered campaign is not checked: its messages have an event.
    """
    if campaign.is_fed:
        return
    customers = [customer_context(each) for each in customers_of(campaign)[:TRIED]]
    for template in templates_of(campaign):
        renderer = Renderer(template, campaign_name=campaign.name)
        error = ""
        for customer in customers:
            try:
                renderer.render(customer, NO_TRACKING)
                break
            except ContentError as found:
                error = error or str(found)
        else:
            if error:
                raise NotReady(
                    _("%(template)s cannot be rendered for any customer: %(error)s")
                    % {"template": template, "error": error}
                )


def check_recipients(campaign: Campaign) -> None:
    """Raise NobodyToSendTo where all customers of the audience would be skipped for one reason.

    A triggered campaign is not checked: events bring its recipients.
    """
    found = None if campaign.is_fed else skipped_for_one_reason(campaign)
    if found is None or found[0] not in OF_THE_AUDIENCE:
        return
    reason, number = found
    raise NobodyToSendTo(
        ngettext(
            "The only customer of the audience would be skipped: %(reason)s.",
            "All %(number)s customers of the audience would be skipped: %(reason)s.",
            number if masking.people(number) else masking.FEW,
        )
        % {"number": display.people(number), "reason": SkipReason(reason).label.lower()}
    )


def _check_addresses(campaign: Campaign) -> None:
    """Raise NotReady for an invalid from or reply-to address of an e-mail, and a WhatsApp account without a template."""
    sender = campaign.sender
    if campaign.channel == Channel.WHATSAPP:
        faults = get_provider(sender.provider).validate(sender)
        if faults:
            raise NotReady(_("Correct the sender: %s") % " ".join(faults.values()))
    if campaign.channel != Channel.EMAIL:
        return
    for address in (sender.from_address, campaign.reply_to or sender.reply_to):
        try:
            if address:
                clean.email(address)
        except ValueError as error:
            raise NotReady(_("Correct the sender: %s") % error) from error


def findings(campaign: Campaign) -> dict[CampaignTemplate, list[Finding]]:
    """Check the campaign's templates; returns the findings of those that have any."""
    context = CONTEXT_OF.get(campaign.type, ())
    found = {template: check(template, context=context) for template in templates_of(campaign)}
    return {template: each for template, each in found.items() if each}


def templates_of(campaign: Campaign) -> list[CampaignTemplate]:
    """Return the campaign's own template and those of its variants."""
    variants = campaign.variants.select_related("template")
    return list(dict.fromkeys([campaign.template, *(variant.template for variant in variants)]))


def needs_approval(campaign: Campaign) -> bool:
    """Return whether the campaign, as it is now, waits for an approval."""
    return why_unapproved(campaign) != ""


def why_unapproved(campaign: Campaign) -> str:
    """Return why the campaign, as it is now, waits for an approval; else an empty string."""
    return approval.missing(campaign) if settings.CAMPAIGN_APPROVAL else ""


def check_approved(campaign: Campaign, *, by_hand: bool = False) -> None:
    """Raises NotApproved where an approval is required and none covers the campaign as it is, or a start `by_hand`."""
    if not settings.CAMPAIGN_APPROVAL:
        return
    campaign.refresh_from_db(fields=approval.APPROVAL_FIELDS)
    if missing := approval.missing(campaign, by_hand=by_hand):
        raise NotApproved(missing)
