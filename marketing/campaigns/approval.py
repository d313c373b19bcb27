"""Approval by a second user, where CAMPAIGN_APPROVAL requires it.

An approval holds for the content as it was: a change of the campaign or of a template revokes it.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from marketing.campaigns.states import NotApproved
from marketing.content import freeze
from marketing.models import Campaign

APPROVE_PERMISSION = "marketing.approve_campaign"
FIELDS = ("approved_by", "approved_at", "approved_versions")


def needs_approval(campaign: Campaign) -> bool:
    """Return whether the campaign, as it is now, waits for an approval."""
    return bool(settings.CAMPAIGN_APPROVAL) and _missing(campaign) != ""


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
    campaign.save(update_fields=[*FIELDS, "updated_at"])
    return campaign


def note_change(campaign: Campaign, *, by: User | None) -> None:
    """Set the campaign's last editor, and revoke its approval."""
    campaign.changed_by = by
    campaign.approved_by = campaign.approved_at = None
    campaign.approved_versions = []
    campaign.save(update_fields=["changed_by", *FIELDS])


def check(campaign: Campaign) -> None:
    """Raises NotApproved where an approval is required and this content has none."""
    if settings.CAMPAIGN_APPROVAL and (missing := _missing(campaign)):
        raise NotApproved(missing)


def _missing(campaign: Campaign) -> str:
    if campaign.approved_at is None:
        return _("The campaign needs the approval of a user other than its author.")
    if campaign.approved_versions != _versions(campaign):
        return _("A template has changed since the approval: have the campaign approved again.")
    return ""


def _versions(campaign: Campaign) -> list[int]:
    variants = campaign.variants.select_related("template").order_by("pk")
    templates = [campaign.template, *(variant.template for variant in variants)]
    return [freeze(template).pk for template in templates]
