"""The page of a campaign's preflight: its progress, and the customers with a rendering error."""

from __future__ import annotations

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldBooleanSwitchWidget

from crm.accounts.current_user import user_of
from crm.adminkit import display
from marketing import campaigns
from marketing.models import Campaign, Preflight

LISTED = 200
REFRESH_SECONDS = 2


class WaiveForm(forms.Form):
    """Asks whether to send in spite of what the preflight found."""

    skip_invalid = forms.BooleanField(
        required=False,
        label=_("Send anyway, and skip customers with a rendering error"),
        widget=UnfoldBooleanSwitchWidget(),
    )

    def __init__(self, warning: str) -> None:
        super().__init__()
        self.fields["skip_invalid"].help_text = warning


def question(campaign: Campaign) -> WaiveForm | None:
    """Return the question to ask before sending; None where the preflight found nothing."""
    try:
        campaigns.check_preflight(campaign)
    except campaigns.NotReady as error:
        return WaiveForm(str(error))
    return None


def is_waived(request: HttpRequest) -> bool:
    """Return whether the user chose to send in spite of the preflight."""
    return bool(request.POST.get("skip_invalid"))


def start_or_stop(request: HttpRequest, campaign: Campaign) -> None:
    """Do what the page's button says. Raises NotReady for a campaign that could not be sent."""
    if request.POST.get("do") == "stop":
        campaigns.stop_preflight(campaign)
        return
    campaigns.check_ready(campaign)
    campaigns.start_preflight(campaign, by=user_of(request))


def page(admin: ModelAdmin, request: HttpRequest, campaign: Campaign) -> TemplateResponse:
    found = campaigns.newest_preflight(campaign)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.model._meta,
        "title": campaign.name,
        "object": campaign,
        "back": reverse("admin:marketing_campaign_change", args=[campaign.pk]),
        "found": found,
    }
    if found:
        running = found.state == Preflight.State.RUNNING
        context |= {
            "running": running,
            "refresh": REFRESH_SECONDS if running else None,
            "current": campaigns.is_current(found),
            "bar": display.bar(found.done, max(found.total, found.done)),
            "ended": display.when(found.finished_at),
            "failures": found.failures.select_related("customer")[:LISTED],
        }
    return TemplateResponse(request, "admin/marketing/campaign/preflight.html", context)
