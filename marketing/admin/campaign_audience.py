"""The recipients and the skipped customers of a campaign, with the customers behind every number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.adminkit import display
from marketing import campaigns
from marketing.models import Campaign, CampaignExecution
from marketing.sending import WHY_SKIPPED

PAGE = 100

SkipReason = CampaignExecution.SkipReason


def details(campaign: Campaign, found: campaigns.DryRun) -> SafeString:
    """Render the reasons of a dry run, each with its first customers."""
    context = {"groups": list(_groups(campaign, found)), "notes": list(_notes(campaign, found))}
    return render_to_string("admin/marketing/campaign/dry_run.html", context)


def page(admin: ModelAdmin, request: HttpRequest, campaign: Campaign) -> TemplateResponse:
    """Show the customers of one reason, a page at a time in the order of their ids."""
    reason = request.GET.get("reason", "")
    after = request.GET.get("after", "")
    found = campaigns.audience_with(
        campaign, reason, after=int(after) if after.isdecimal() else 0, limit=PAGE + 1
    )
    shown = found[:PAGE]
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.model._meta,
        "title": campaign.name,
        "object": campaign,
        "heading": _label(reason),
        "why": WHY_SKIPPED.get(reason, ""),
        "people": [_linked(person) for person in shown],
        "more": _url(campaign, reason, shown[-1].customer_id) if len(found) > PAGE else "",
        "back": reverse("admin:marketing_campaign_change", args=[campaign.pk]),
    }
    return TemplateResponse(request, "admin/marketing/campaign/audience.html", context)


def _groups(campaign: Campaign, found: campaigns.DryRun) -> Iterator[dict[str, Any]]:
    counts = {"": found.reachable, **found.skipped}
    for reason, number in counts.items():
        if number:
            yield {
                "label": _label(reason),
                "number": number,
                "shown": display.people(number),
                "why": WHY_SKIPPED.get(reason, ""),
                "people": [_linked(person) for person in found.samples.get(reason, ())],
                "url": _url(campaign, reason),
            }


def _notes(campaign: Campaign, found: campaigns.DryRun) -> Iterator[str]:
    if found.delayed:
        yield ngettext(
            "%(number)s recipient is in quiet hours now: the message waits.",
            "%(number)s recipients are in quiet hours now: their messages wait.",
            found.delayed,
        ) % {"number": display.people(found.delayed)}
    for name, number in found.variants.items():
        label = _("Variant %s") % name if name else _("Waiting for the winner")
        yield f"{label}: {display.people(number)}"
    unused = [name for name, number in found.variants.items() if not number]
    if unused and not campaign.winner:
        yield _("No recipients for %s: the audience is too small for its weight.") % ", ".join(
            unused
        )
    if campaign.holdout_percent and not found.skipped.get(SkipReason.HOLDOUT):
        yield _("No customers in the holdout group of %s %%: the audience is too small.") % (
            display.number(campaign.holdout_percent)
        )


def _label(reason: str) -> str:
    return str(SkipReason(reason).label) if reason in SkipReason else _("Recipients")


def _linked(person: campaigns.AudienceMember) -> dict[str, str]:
    return {
        "name": person.name or person.address or f"#{person.customer_id}",
        "address": person.address,
        "url": reverse("admin:customers_customer_change", args=[person.customer_id]),
    }


def _url(campaign: Campaign, reason: str, after: int | None = None) -> str:
    query = {"reason": reason, **({"after": after} if after else {})}
    return f"{reverse('admin:marketing_campaign_audience', args=[campaign.pk])}?{urlencode(query)}"
