"""What came of a campaign, on its page: the funnel, its course, and what it brought for what it cost."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analytics import metrics
from analytics.admin import charts, plan_page
from analytics.experiments.campaign_experiment import is_experiment
from analytics.funnel import Step, funnel
from analytics.metrics import Totals
from analytics.returns import roi
from analytics.returns.roi import Roi
from crm.adminkit import display
from marketing.models import Campaign

TEMPLATE = "admin/panels/campaign_results.html"


def results(request: HttpRequest, campaign: Campaign) -> SafeString | str:
    """The panel, from the counters alone, so that it can be asked for every other second; nothing before the first run."""
    runs = campaign.runs.all()
    if not request.user.has_perm("analytics.view_campaignmetrics") or not runs.exists():
        return ""
    totals = metrics.totals(runs)
    slots = metrics.course(runs)
    context = {
        "campaign": campaign,
        "simulated": runs.filter(simulated=True).exists(),
        "steps": [_step(each) for each in funnel(runs, totals)],
        "totals": totals,
        "reading_unknown": campaign.historical and not (totals.opened or totals.clicked),
        "is_experiment": is_experiment(campaign),
        "plan_url": plan_page.for_campaign(campaign),
        "bounce_rate": display.rate(totals.bounced, totals.sent),
        "unsubscribe_rate": display.rate(totals.unsubscribed, totals.arrived),
        "click_to_open_rate": display.rate(totals.clicked, totals.opened),
        "course": charts.course(slots) if len(slots) > 1 else None,
        "roi": _roi(roi.of_campaign(campaign, totals)),
        "variants": _variants(campaign, metrics.totals_by_variant(runs)),
        "costs_url": _costs_url(campaign),
        "may_enter_costs": request.user.has_perm("analytics.add_campaigncost"),
    }
    return render_to_string(TEMPLATE, context, request)


def _variants(campaign: Campaign, found: dict[str, Totals]) -> list[dict[str, Any]]:
    """A row each; none for a campaign without variants."""
    if set(found) <= {""}:
        return []
    return [
        {
            "name": name or _("Without a variant"),
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


def _step(step: Step) -> dict[str, Any]:
    return {
        "key": step.key,
        "label": step.label,
        "count": display.number(step.count),
        "height": f"{float(step.share) * 100:.1f}%",
        "rate": display.rate(step.of_previous, 1) if step.of_previous is not None else "",
    }


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
