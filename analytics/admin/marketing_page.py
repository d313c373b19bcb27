"""The marketing dashboard: results of campaigns and channels, and the attribution of orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics import metrics
from analytics.admin import charts
from analytics.admin.date_range import COMPARISONS, Compare, DateRange
from analytics.admin.tiles import (
    Tile,
    campaign_columns,
    campaign_tiles,
    funnel_step,
    heat_cell,
)
from analytics.attribution import MODELS, Attribution, Dimension, Touch, attribution_of_days
from analytics.days import day_bounds
from analytics.funnels import message_funnel
from analytics.headlines import CampaignFigures
from analytics.metrics import Totals
from analytics.returns import Roi, combined, roi_by_campaign
from crm.adminkit import display
from marketing.admin import badges
from marketing.models import Campaign, CampaignRun

SHOWN_ROWS = 10
MODEL_NAMES = {
    "first": _("First"),
    "last": _("Last"),
    "linear": _("Linear"),
    "time_decay": _("Time decay"),
    "position": _("Position"),
    "markov": _("Markov"),
    "shapley": _("Shapley"),
}


def context(request: HttpRequest) -> dict[str, Any]:
    """Return the context of templates/admin/analytics/marketing.html, of real or of simulated campaigns."""
    date_range = DateRange.of(request, "simulated", "by", "touch")
    days = day_bounds(date_range.first, date_range.last)
    simulated = request.GET.get("simulated") == "1"
    runs = CampaignRun.objects.filter(simulated=simulated)
    totals = metrics.totals_by_campaign(runs, days)
    campaigns = list(Campaign.objects.filter(pk__in=totals))
    roi = roi_by_campaign(campaigns, totals)
    now = CampaignFigures(sum(totals.values(), Totals()), combined(roi.values()))
    by = _choice(request, "by", Dimension.CAMPAIGN)
    touch = _choice(request, "touch", Touch.OPEN)
    attributed = attribution_of_days(date_range.first, date_range.last, by, touch, simulated)
    return {
        "title": _("Marketing"),
        "date_range": date_range,
        "simulated": simulated,
        "has_simulated": CampaignRun.objects.filter(simulated=True).exists(),
        "has_sent": bool(now.totals.sent),
        "tiles": _tiles(now, metrics.totals_by_campaign(runs, day_bounds(*date_range.before))),
        "steps": [funnel_step(step) for step in message_funnel(now.totals)],
        "time_series": charts.time_series(
            metrics.time_series_between(runs, *days), "marketing-time-series"
        ),
        "campaigns": _campaigns(campaigns, totals, roi),
        "channels": _channels(campaigns, totals),
        "attribution": _attribution(attributed),
        "by": by,
        "touch": touch,
        "attribution_csv": f"{reverse('analytics-attribution')}?{date_range.query}&model=all&by={by}&touch={touch}&format=csv",
        "campaigns_csv": f"{reverse('analytics')}?format=csv",
    }


def _choice(request: HttpRequest, name: str, usual: Any) -> Any:
    try:
        return type(usual)(request.GET.get(name))
    except ValueError:
        return usual


def _tiles(now: CampaignFigures, totals_before: dict[int, Totals]) -> list[Tile]:
    before = CampaignFigures(sum(totals_before.values(), Totals()), combined([]))
    tiles = campaign_tiles(now, before, str(COMPARISONS[Compare.BEFORE]))
    cost = Tile(_("Cost"), display.money(now.roi.cost), _("of campaigns with a known cost"))
    keys = ("sent", "open_rate", "click_rate", "unsubscribed", "converted", "revenue")
    return [*(tiles[key] for key in keys), cost, tiles["roi"]]


def _campaigns(
    campaigns: list[Campaign], totals: dict[int, Totals], roi: dict[int, Roi]
) -> list[dict[str, Any]]:
    best = sorted(campaigns, key=lambda each: (-totals[each.pk].revenue, -totals[each.pk].sent))
    return [
        {
            "campaign": each,
            "name": badges.named(each.name, each.channel),
            "figures": campaign_columns(totals[each.pk], roi[each.pk]),
        }
        for each in best[:SHOWN_ROWS]
    ]


def _channels(campaigns: list[Campaign], totals: dict[int, Totals]) -> list[dict[str, Any]]:
    sums: dict[str, Totals] = {}
    for each in campaigns:
        sums[each.channel] = sums.get(each.channel, Totals()) + totals[each.pk]
    return [
        {
            "name": badges.named(badges.channel_label(channel), channel),
            "figures": campaign_columns(each),
        }
        for channel, each in sorted(sums.items(), key=lambda pair: -pair[1].sent)
    ]


def _attribution(found: Attribution) -> dict[str, Any]:
    """Return a heat map of conversions: a row for each touchpoint, a column for each model."""
    by_model = {model: {each.touchpoint: each for each in found.credits[model]} for model in MODELS}
    most = max((each.conversions for of in by_model.values() for each in of.values()), default=0)
    shown = [credit.touchpoint for credit in found.credits["shapley"][:SHOWN_ROWS]]

    def cell(model: str, touchpoint: str) -> dict[str, Any]:
        credit = by_model[model][touchpoint]
        return heat_cell(
            display.number(round(credit.conversions, 1)),
            credit.conversions / most if most else 0,
            display.money(Decimal(credit.value)),
        )

    return {
        "models": list(MODEL_NAMES.values()),
        "rows": [
            {"name": found.names[each] or _("unknown"), "cells": [cell(of, each) for of in MODELS]}
            for each in shown
        ],
        "orders": display.number(round(found.conversions)),
        "untouched": display.number(round(found.untouched)),
        "value": display.money(Decimal(found.value)),
    }
