"""The second pair of eyes: where CAMPAIGN_APPROVAL asks for it, nothing is sent that its author alone has seen.

What is approved is what there is: whoever changes the campaign afterwards takes the approval away, and so does a change of a template.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from marketing.campaigns.states import NotApproved
from marketing.content import versions
from marketing.models import Campaign

APPROVE_PERMISSION = "marketing.approve_campaign"
GIVEN = ("approved_by", "approved_at", "approved_versions")


def needs_approval(campaign: Campaign) -> bool:
    """Whether the campaign, as it is now, waits for an approval."""
    return bool(settings.CAMPAIGN_APPROVAL) and _missing(campaign) != ""


def may_approve(campaign: Campaign, user: User) -> bool:
    authors = {campaign.created_by_id, campaign.changed_by_id}
    return user.has_perm(APPROVE_PERMISSION) and user.pk not in authors


def approve(campaign: Campaign, *, by: User) -> Campaign:
    """Approve a campaign as it is now.

    Raises PermissionDenied for its author, for whoever changed it last, and for those who may not approve at all.
    """
    if not may_approve(campaign, by):
        raise PermissionDenied(
            _("Somebody else has to approve what you wrote.")
            if by.has_perm(APPROVE_PERMISSION)
            else _("You may not approve campaigns.")
        )
    campaign.approved_by = by
    campaign.approved_at = timezone.now()
    campaign.approved_versions = _versions(campaign)
    campaign.save(update_fields=[*GIVEN, "updated_at"])
    return campaign


def note_change(campaign: Campaign, *, by: User | None) -> None:
    """Note who changed the campaign; what was approved before is not what there is now."""
    campaign.changed_by = by
    campaign.approved_by = campaign.approved_at = None
    campaign.approved_versions = []
    campaign.save(update_fields=["changed_by", *GIVEN])


def check(campaign: Campaign) -> None:
    """Raises NotApproved where approval is asked for and not given to this content."""
    if settings.CAMPAIGN_APPROVAL and (missing := _missing(campaign)):
        raise NotApproved(missing)


def _missing(campaign: Campaign) -> str:
    if campaign.approved_at is None:
        return _("Somebody who did not write it has to approve it first.")
    if campaign.approved_versions != _versions(campaign):
        return _("A template changed after it was approved: it has to be approved again.")
    return ""


def _versions(campaign: Campaign) -> list[int]:
    variants = campaign.variants.select_related("template").order_by("pk")
    templates = [campaign.template, *(variant.template for variant in variants)]
    return [versions.freeze(template).pk for template in templates]
