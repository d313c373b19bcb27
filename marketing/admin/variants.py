"""The variants of a campaign in its form, each with the part of the test that it gets."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from crm.adminkit import display
from marketing import campaigns
from marketing.models import Campaign, CampaignVariant

OPEN = frozenset({Campaign.State.DRAFT, Campaign.State.SCHEDULED})


class VariantInline(TabularInline):
    """To be changed only while the campaign can be."""

    model = CampaignVariant
    extra = 0
    hide_title = True
    verbose_name_plural = _("Variants (A/B/n): with none, everybody gets the template above")
    fields = ("name", "template", "weight", "share")
    readonly_fields = ("share",)

    @admin.display(description=_("Share of the test"))
    def share(self, variant: CampaignVariant) -> str:
        if variant.pk is None:
            return display.NOTHING
        part = campaigns.shares(campaigns.variants_of(variant.campaign))[variant.name]
        return f"{part:.0%}"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and _is_open(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_open(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_open(obj)


def _is_open(campaign: Campaign | None) -> bool:
    return campaign is None or campaign.state in OPEN
