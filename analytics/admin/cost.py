"""Costs of campaigns."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from analytics.models import CampaignCost
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column


@admin.register(CampaignCost)
class CampaignCostAdmin(ModelAdmin):
    list_display = ("campaign", "kind", "basis", "money", "created_at")
    list_select_related = ("campaign",)
    list_filter = ("basis", "kind")
    search_fields = ("campaign__name", "kind")
    ordering = ("-pk",)
    autocomplete_fields = ("campaign",)
    fields = ("campaign", "kind", "basis", "amount")

    money = column("amount", _("Amount"), display.money, ordering="amount")

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Return to the campaign, which shows its new ROI."""
        return HttpResponseRedirect(
            reverse("admin:marketing_campaign_change", args=[obj.campaign_id])
        )
