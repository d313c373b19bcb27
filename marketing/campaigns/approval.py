"""The second pair of eyes: where CAMPAIGN_APPROVAL asks for it, nothing is sent that its author alone has seen.

What is approved is what there is: who changes the campaign afterwards takes the approval away, and so does a change of its template.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from marketing.campaigns.readiness import NotApproved
from marketing.content import versions
from marketing.models import Campaign

PERMISSION = "marketing.approve_campaign"


def is_asked_for() -> bool:
    return bool(settings.CAMPAIGN_APPROVAL)


def approve(campaign: Campaign, *, by: User) -> Campaign:
    """Approve a campaign as it is now.

    Raises PermissionDenied for its author, for whoever changed it last, and for those who may not approve at all.
    """
    if not by.has_perm(PERMISSION):
        raise PermissionDenied(_("You may not approve campaigns."))
    if by.pk in {campaign.created_by_id, campaign.changed_by_id}:
        raise PermissionDenied(_("Somebody else has to approve what you wrote."))
    campaign.approved_by = by
    campaign.approved_at = timezone.now()
    campaign.approved_version = versions.freeze(campaign.template)
    campaign.save(update_fields=["approved_by", "approved_at", "approved_version", "updated_at"])
    return campaign


def changed(campaign: Campaign, *, by: User | None) -> None:
    """Note who changed the campaign; what was approved before is not what there is now."""
    campaign.changed_by = by
    campaign.approved_by = campaign.approved_at = campaign.approved_version = None
    campaign.save(update_fields=["changed_by", "approved_by", "approved_at", "approved_version"])


def check(campaign: Campaign) -> None:
    """Raises NotApproved where approval is asked for and not given to this content."""
    if not is_asked_for():
        return
    if campaign.approved_at is None:
        raise NotApproved(_("Somebody who did not write it has to approve it first."))
    if campaign.approved_version != versions.freeze(campaign.template):
        raise NotApproved(
            _("Its template changed after it was approved: it has to be approved again.")
        )
