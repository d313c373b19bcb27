"""The dashboard of marketing: what campaigns and channels came to, and to whom the orders are owed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics import metrics
from analytics.admin import charts
from analytics.admin.date_range import Span
from analytics.admin.tiles import Tile, change
from analytics.attribution import MODELS
from analytics.attribution.report import Attribution, of_days
from analytics.attribution.timeline import By, Touch
from analytics.commerce import day_bounds
from analytics.funnel import steps_of
from analytics.metrics import Totals
from analytics.returns import roi
from analytics.returns.roi import Roi
from crm.adminkit import display
from customers.models.consent import Channel
from marketing.admin import badges
from marketing.models import Campaign, CampaignRun

SHOWN = 10
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
    """What templates/admin/analytics/marketing.html shows. Simulated campaigns are shown alone, and only when asked for."""
    span = Span.asked(request, "simulated", "by", "touch")
    simulated = request.GET.get("simulated") == "1"
    runs = CampaignRun.objects.filter(simulated=simulated)
    now = metrics.totals_by_campaign(runs, day_bounds(span.first, span.last))
    before = metrics.totals_by_campaign(runs, day_bounds(*span.before))
    campaigns = list(Campaign.objects.filter(pk__in=now))
    returns = roi.of_campaigns(campaigns, now)
    totals = sum(now.values(), Totals())
    by = By(request.GET["by"]) if request.GET.get("by") in set(By) else By.CAMPAIGN
    touch = Touch(request.GET["touch"]) if request.GET.get("touch") in set(Touch) else Touch.OPEN
    owed = of_days(span.first, span.last, by, touch, simulated)
    return {
        "title": _("Marketing"),
        "span": span,
        "simulated": simulated,
        "has_simulated": CampaignRun.objects.filter(simulated=True).exists(),
        "has_sent": bool(totals.sent),
        "tiles": _tiles(totals, sum(before.values(), Totals()), roi.combined(returns.values())),
        "steps": [_step(each) for each in steps_of(totals)],
        "course": charts.course(
            metrics.course_between(runs, *day_bounds(span.first, span.last)), "marketing-course"
        ),
        "campaigns": _campaigns(campaigns, now, returns),
        "channels": _channels(campaigns, now),
        "owed": _owed(owed),
        "by": by,
        "touch": touch,
        "choices": {"by": list(By), "touch": list(Touch)},
        "owed_csv": f"{reverse('analytics-attribution')}?{span.query}&model=all&by={by}&touch={touch}&format=csv",
        "campaigns_csv": f"{reverse('analytics')}?format=csv",
    }


def _tiles(now: Totals, before: Totals, result: Roi) -> list[Tile]:
    return [
        Tile(
            _("Messages sent"),
            display.number(now.sent),
            _("%(rate)s arrived") % {"rate": display.rate(now.arrived, now.sent)}
            if now.sent
            else "",
            change(now.sent, before.sent),
        ),
        Tile(
            _("Open rate"),
            display.rate(now.opened, now.arrived),
            _("%(number)s opened") % {"number": display.number(now.opened)},
            change(now.open_rate, before.open_rate),
        ),
        Tile(
            _("Click rate"),
            display.rate(now.clicked, now.arrived),
            _("%(number)s clicked") % {"number": display.number(now.clicked)},
            change(now.click_rate, before.click_rate),
        ),
        Tile(
            _("Unsubscribed"),
            display.rate(now.unsubscribed, now.arrived),
            _("%(rate)s bounced") % {"rate": display.rate(now.bounced, now.sent)}
            if now.sent
            else "",
        ),
        Tile(
            _("Conversions"),
            display.number(now.converted),
            _("%(rate)s of what arrived") % {"rate": display.rate(now.converted, now.arrived)}
            if now.arrived
            else "",
            change(now.converted, before.converted),
        ),
        Tile(
            _("Revenue credited"),
            display.money(now.revenue),
            _("to the last message clicked"),
            change(now.revenue, before.revenue),
        ),
        Tile(
            _("Cost"),
            display.money(result.cost),
            _("of campaigns whose cost is known"),
        ),
        Tile(
            _("ROI"),
            display.rate(result.profit, result.cost),
            _("%(profit)s profit") % {"profit": display.money(result.profit)}
            if result.cost is not None
            else _("Enter what a campaign cost"),
        ),
    ]


def _step(step: Any) -> dict[str, Any]:
    return {
        "label": step.label,
        "count": display.number(step.count),
        "height": f"{float(step.share) * 100:.1f}%",
        "rate": display.rate(step.of_previous, 1) if step.of_previous is not None else "",
    }


def _campaigns(
    campaigns: list[Campaign], totals: dict[int, Totals], returns: dict[int, Roi]
) -> list[dict[str, Any]]:
    best = sorted(campaigns, key=lambda each: (-totals[each.pk].revenue, -totals[each.pk].sent))
    return [
        {
            "campaign": each,
            "name": badges.named(each.name, each.channel),
            "figures": _figures(totals[each.pk], returns[each.pk]),
        }
        for each in best[:SHOWN]
    ]


def _channels(campaigns: list[Campaign], totals: dict[int, Totals]) -> list[dict[str, Any]]:
    sums: dict[str, Totals] = {}
    for each in campaigns:
        sums[each.channel] = sums.get(each.channel, Totals()) + totals[each.pk]
    return [
        {"name": badges.named(str(Channel(channel).label), channel), "figures": _figures(each)}
        for channel, each in sorted(sums.items(), key=lambda pair: -pair[1].sent)
    ]


def _figures(totals: Totals, result: Roi | None = None) -> list[tuple[str, str]]:
    figures = [
        (_("Sent"), display.number(totals.sent)),
        (_("Opened"), display.rate(totals.opened, totals.arrived)),
        (_("Clicked"), display.rate(totals.clicked, totals.arrived)),
        (_("Converted"), display.rate(totals.converted, totals.arrived)),
        (_("Revenue"), display.money(totals.revenue)),
    ]
    return figures if result is None else [*figures, (_("ROI"), display.rate(result.profit, result.cost))]  # fmt: skip


def _owed(found: Attribution) -> dict[str, Any]:
    """A row a touchpoint, a column a model: the conversions, and how full the cell is of the fullest."""
    by_model = {
        model: {credit.touchpoint: credit for credit in found.credits[model]} for model in MODELS
    }
    most = max((each.conversions for of in by_model.values() for each in of.values()), default=0)
    order = [credit.touchpoint for credit in found.credits["shapley"][:SHOWN]]
    return {
        "models": list(MODEL_NAMES.values()),
        "rows": [
            {
                "name": found.names[touchpoint] or _("unknown"),
                "cells": [
                    {
                        "text": display.number(round(by_model[model][touchpoint].conversions, 1)),
                        "title": display.money(round(by_model[model][touchpoint].value)),
                        "heat": f"{by_model[model][touchpoint].conversions / most:.3f}"
                        if most
                        else "0",
                        "is_dark": bool(most)
                        and by_model[model][touchpoint].conversions / most > 0.55,
                    }
                    for model in MODELS
                ],
            }
            for touchpoint in order
        ],
        "orders": display.number(round(found.conversions)),
        "untouched": display.number(round(found.untouched)),
        "value": display.money(round(found.value)),
    }
