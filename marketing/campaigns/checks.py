"""Check a campaign before it is sent: its audience, its content, and the approval of a second user where CAMPAIGN_APPROVAL requires it.

An approval holds for the content as it was: a change of the campaign or of a template revokes it.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from customers import clean
from customers.models.consent import Channel
from marketing.campaigns.audience import NoAudience, customers_of
from marketing.campaigns.states import NotApproved, NotReady
from marketing.channels import get_provider
from marketing.content import (
    NO_TRACKING,
    ContentError,
    Finding,
    Renderer,
    check,
    customer_context,
    freeze,
)
from marketing.models import Campaign, CampaignTemplate

TRIED = 20
"""Customers whose message is rendered before a campaign starts."""
APPROVE_PERMISSION = "marketing.approve_campaign"
APPROVAL_FIELDS = ("approved_by", "approved_at", "approved_versions")


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
    if campaign.is_triggered:
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
    context = ("event",) if campaign.trigger_event else ()
    found = {template: check(template, context=context) for template in templates_of(campaign)}
    return {template: each for template, each in found.items() if each}


def templates_of(campaign: Campaign) -> list[CampaignTemplate]:
    """Return the campaign's own template and those of its variants."""
    variants = campaign.variants.select_related("template")
    return list(dict.fromkeys([campaign.template, *(variant.template for variant in variants)]))


def needs_approval(campaign: Campaign) -> bool:
    """Return whether the campaign, as it is now, waits for an approval."""
    return bool(settings.CAMPAIGN_APPROVAL) and _missing_approval(campaign) != ""


def may_approve(campaign: Campaign, user: User) -> bool:
    authors = {campaign.created_by_id, campaign.changed_by_id}
    return user.has_perm(APPROVE_PERMISSION) and user.pk not in authors


def approve(campaign: Campaign, *, by: User) -> Campaign:
    """Approve a campaign as it is now.

    Raises PermissionDenied for its author, its last editor, and users without the permission.
    """
    if not may_approve(campaign, by):
        raise PermissionDenied(
            _("You cannot approve a campaign that you wrote: ask another user.")
            if by.has_perm(APPROVE_PERMISSION)
            else _("You do not have the permission to approve campaigns.")
        )
    campaign.approved_by = by
    campaign.approved_at = timezone.now()
    campaign.approved_versions = _versions(campaign)
    campaign.save(update_fields=[*APPROVAL_FIELDS, "updated_at"])
    return campaign


def note_change(campaign: Campaign, *, by: User | None) -> None:
    """Set the campaign's last editor, and revoke its approval."""
    campaign.changed_by = by
    campaign.approved_by = campaign.approved_at = None
    campaign.approved_versions = []
    campaign.save(update_fields=["changed_by", *APPROVAL_FIELDS])


def check_approved(campaign: Campaign) -> None:
    """Raises NotApproved where an approval is required and this content has none."""
    if settings.CAMPAIGN_APPROVAL and (missing := _missing_approval(campaign)):
        raise NotApproved(missing)


def _missing_approval(campaign: Campaign) -> str:
    if campaign.approved_at is None:
        return _("The campaign needs the approval of a user other than its author.")
    if campaign.approved_versions != _versions(campaign):
        return _("A template has changed since the approval: have the campaign approved again.")
    return ""


def _versions(campaign: Campaign) -> list[int]:
    variants = campaign.variants.select_related("template").order_by("pk")
    templates = [campaign.template, *(variant.template for variant in variants)]
    return [freeze(template).pk for template in templates]
