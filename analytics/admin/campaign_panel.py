"""Panels on the page of a campaign: its results, and before the launch the sample size calculator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analytics import metrics
from analytics.admin import charts, sample_size_page
from analytics.admin.tiles import funnel_step
from analytics.experiments import is_experiment
from analytics.funnels import campaign_funnel
from analytics.metrics import Totals
from analytics.returns import Roi, roi_of
from crm.adminkit import display
from marketing import campaigns
from marketing.models import Campaign, CampaignRun

TEMPLATE = "admin/panels/campaign_results.html"
SEE_RESULTS = "analytics.view_campaignmetrics"


def sample_size(request: HttpRequest, campaign: Campaign) -> SafeString | str:
    """Return the link to the sample size calculator; "" for a campaign without variants or holdout."""
    if not request.user.has_perm(SEE_RESULTS) or not is_experiment(campaign):
        return ""
    url = sample_size_page.url_for(campaign)
    return render_to_string("admin/panels/sample_size.html", {"url": url}, request)


def results(request: HttpRequest, campaign: Campaign) -> SafeString | str:
    """Return the results from counters alone, which is cheap to poll; "" before the first run."""
    runs = campaign.runs.all()
    if not request.user.has_perm(SEE_RESULTS) or not runs.exists():
        return ""
    totals = metrics.totals(runs)
    slots = metrics.time_series(runs)
    context = {
        "campaign": campaign,
        "simulated": runs.filter(simulated=True).exists(),
        "steps": [funnel_step(step) for step in campaign_funnel(runs, totals)],
        "totals": totals,
        "engagement_unknown": campaign.historical and not (totals.opened or totals.clicked),
        "is_experiment": is_experiment(campaign),
        "sample_size_url": sample_size_page.url_for(campaign),
        "bounce_rate": display.rate(totals.bounced, totals.attempted),
        "unsubscribe_rate": display.rate(totals.unsubscribed, totals.arrived),
        "click_to_open_rate": display.rate(totals.clicked, totals.opened),
        "time_series": charts.time_series(slots) if len(slots) > 1 else None,
        "roi": _roi(roi_of(campaign, totals)),
        "variants": _variants(campaign, metrics.totals_by_variant(runs)),
        "costs_url": _costs_url(campaign),
        "may_enter_costs": request.user.has_perm("analytics.add_campaigncost"),
    }
    return render_to_string(TEMPLATE, context, request)


def list_figures(
    request: HttpRequest, campaigns_listed: Sequence[Campaign]
) -> dict[int, dict[str, str]]:
    """Return the rates of campaigns for their list; none for users who may not view results."""
    if not request.user.has_perm(SEE_RESULTS):
        return {}
    runs = CampaignRun.objects.filter(campaign__in=[each.pk for each in campaigns_listed])
    return {
        pk: {
            "open_rate": display.rate(totals.opened, totals.arrived),
            "click_rate": display.rate(totals.clicked, totals.arrived),
            "converted": display.number(totals.converted),
        }
        for pk, totals in metrics.totals_by_campaign(runs).items()
    }


def _variants(campaign: Campaign, found: dict[str, Totals]) -> list[dict[str, Any]]:
    """Return a row for each variant, also for one without recipients."""
    declared = {each.name: Totals() for each in campaigns.variants_of(campaign)}
    found = {**declared, **found}
    if set(found) <= {""}:
        return []
    return [
        {
            "name": name or _("No variant"),
            "label": display.badge(_("Winner"), "success")
            if name and name == campaign.winner
            else "",
            "sent": display.number(totals.sent),
            "opened": display.number(totals.opened),
            "open_rate": display.rate(totals.opened, totals.arrived),
            "clicked": display.number(totals.clicked),
            "click_rate": display.rate(totals.clicked, totals.arrived),
            "converted": display.number(totals.converted),
            "conversion_rate": display.rate(totals.converted, totals.arrived),
            "revenue": display.money(totals.revenue),
        }
        for name, totals in found.items()
    ]


def _roi(result: Roi) -> dict[str, Any]:
    return {
        "revenue": display.money(result.revenue),
        "cost": display.money(result.cost),
        "has_cost": result.cost is not None,
        "costs": [(kind, display.money(amount)) for kind, amount in result.costs.items()],
        "profit": display.money(result.profit),
        "roi": display.rate(result.profit, result.cost),
        "budget": display.money(result.budget) if result.budget is not None else "",
        "budget_used": display.rate(result.cost, result.budget) if result.budget else "",
        "conversions": result.conversions,
        "average": display.money(result.revenue_per_conversion),
        "break_even": result.break_even_conversions,
        "broke_even": result.broke_even,
    }


def _costs_url(campaign: Campaign) -> str:
    return f"{reverse('admin:analytics_campaigncost_add')}?{urlencode({'campaign': campaign.pk})}"
