"""The planner of tests: its figures are in the address, and may start from a campaign or from what an audience did before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import sqrt
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics import commerce
from analytics.admin import charts
from analytics.admin.plan_form import RATE, REVENUE, USUAL, PlanForm
from analytics.admin.tiles import Tile
from analytics.experiments.plan import Plan, bought
from crm.adminkit import display
from customers.models import Customer, Segment
from customers.segments import RuleError
from marketing import campaigns
from marketing.models import Campaign

EVERYBODY = "everybody"
SHOWN_SEGMENTS = 200
FRACTIONS = (0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.25, 1.5, 2)
"""Of the people needed: where the curve of the power is drawn."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whose past the plan starts from."""

    name: str
    people: QuerySet[Customer]


def context(request: HttpRequest) -> dict[str, Any]:
    """What templates/admin/analytics/plan.html shows."""
    campaign = _campaign(request.GET.get("campaign", ""))
    audience = _audience(request.GET.get("base", ""), campaign)
    figures, measured = _figures(request, campaign, audience)
    form = PlanForm(figures)
    plan = form.plan if form.is_valid() else None
    return {
        "title": _("Plan a test"),
        "campaign": campaign,
        "form": form,
        "kind": form["kind"].value(),
        "kinds": {"rate": RATE, "revenue": REVENUE},
        "audience": audience,
        "has_measured": measured,
        "base": request.GET.get("base", ""),
        "segments": Segment.objects.order_by("name")[:SHOWN_SEGMENTS],
        "kept": [
            (name, form[name].value())
            for name in ("kind", "lift", "arms", "confidence", "power", "per_day")
            if form[name].value() not in (None, "")
        ],
        "tiles": _tiles(plan) if plan else [],
        "verdict": verdict(plan) if plan else "",
        "chart": _curve(plan) if plan and plan.needed else None,
    }


def verdict(plan: Plan) -> str:
    """What the figures come to, in a sentence or two."""
    if plan.needed is None or plan.needed_in_all is None:
        return _("There is no such test: the rate with its lift would be 100 % or more.")
    needs = _("It takes %(each)s people an arm, %(all)s in all.") % {
        "each": display.number(plan.needed),
        "all": display.number(plan.needed_in_all),
    }
    if plan.an_arm is None:
        return needs
    if plan.an_arm >= plan.needed:
        return " ".join([needs, _("There are enough.")])
    least = plan.least_lift_with(plan.an_arm)
    small = (
        _("So few would not even show a doubling.")
        if least is None or least > 1
        else _("So many show a lift of %(lift)s or more.") % {"lift": _percent(least)}
    )
    short = _("There are %(number)s too few.") % {
        "number": display.number(plan.needed_in_all - (plan.people or 0))
    }
    return " ".join([needs, short, small])


def for_campaign(campaign: Campaign) -> str:
    """The address of the planner, started from a campaign."""
    return f"{reverse('admin:analytics_plan')}?{urlencode({'campaign': campaign.pk})}"


def _figures(
    request: HttpRequest, campaign: Campaign | None, audience: Audience | None
) -> tuple[dict[str, Any], bool]:
    """The usual ones, over them those of the campaign and of its audience's past, over all what is in the address; and whether there was
    a past to start from."""
    given = {name: request.GET[name] for name in PlanForm.base_fields if name in request.GET}
    of_campaign = _of_campaign(campaign) if campaign else {}
    days = given.get("days", of_campaign.get("days", USUAL["days"]))
    known = {"people", "mean" if given.get("kind") == REVENUE else "rate"} <= given.keys()
    measured = _measured(audience, days) if audience and not known else {}
    figures = {**USUAL, **of_campaign, **measured, **given}
    return figures, known or {"rate", "mean"} <= measured.keys()


def _of_campaign(campaign: Campaign) -> dict[str, Any]:
    arms = max(campaign.variants.count(), 1) + bool(campaign.holdout_percent)
    paces = [campaign.hourly_limit and 24 * campaign.hourly_limit, campaign.sender.per_day]
    return {
        "arms": min(max(arms, 2), 10),
        "days": campaign.goal_window_days,
        "per_day": min((pace for pace in paces if pace), default=""),
        "kind": REVENUE if campaign.winner_metric == REVENUE else RATE,
    }


def _measured(audience: Audience, days: Any) -> dict[str, Any]:
    """What the audience did in so many of the newest days: who bought, and for how much."""
    number = int(days) if str(days).isdecimal() and 0 < int(days) <= 365 else USUAL["days"]
    last = commerce.as_of()
    found = bought(audience.people, last - timedelta(days=number - 1), last)
    rate = {"rate": f"{100 * found.count / found.customers:.3g}"} if found.count else {}
    means = (
        {"mean": f"{found.value:.2f}", "deviation": f"{sqrt(found.variance):.2f}"}
        if found.value > 0 and found.variance
        else {}
    )
    return {**({"people": found.customers} if found.customers else {}), **rate, **means}


def _campaign(given: str) -> Campaign | None:
    known = given.isdecimal() and len(given) < 19
    return Campaign.objects.select_related("sender").filter(pk=given).first() if known else None


def _audience(base: str, campaign: Campaign | None) -> Audience | None:
    """Of `base`, a segment's slug or everybody; without it, of the campaign. None for neither, or where the campaign is for nobody yet."""
    if base == EVERYBODY:
        return Audience(_("everybody"), Customer.objects.all())
    segment = Segment.objects.filter(slug=base.replace("\0", "")).first() if base else None
    if segment is not None:
        members = Customer.objects.filter(memberships__segment=segment)
        return Audience(segment.name, members)
    if campaign is None:
        return None
    try:
        return Audience(campaign.name, campaigns.customers_of(campaign))
    except (campaigns.NoAudience, RuleError):
        return None


def _tiles(plan: Plan) -> list[Tile]:
    least = None if plan.an_arm is None else plan.least_lift_with(plan.an_arm)
    return [
        Tile(_("People an arm"), display.number(plan.needed), _("at the least")),
        Tile(
            _("People in all"),
            display.number(plan.needed_in_all),
            _("%(arms)s arms of equal size") % {"arms": plan.arms},
        ),
        Tile(
            _("Power"),
            display.NOTHING if plan.an_arm is None else _percent(plan.power_with(plan.an_arm)),
            _("the chance to see it with the people there are")
            if plan.an_arm is not None
            else _("Say how many people there are"),
        ),
        Tile(
            _("Smallest lift"),
            display.NOTHING if least is None else _percent(least),
            _("that the people there are would show")
            if plan.an_arm is not None
            else _("Say how many people there are"),
        ),
        Tile(
            _("Duration"),
            display.NOTHING
            if plan.duration is None
            else _("%(number)s days") % {"number": display.number(plan.duration)},
            _("until the last of them has been looked at")
            if plan.duration is not None
            else _("Say how many people come a day"),
        ),
    ]


def _curve(plan: Plan) -> Any:
    assert plan.needed is not None
    sizes = sorted({max(round(plan.needed * each), 1) for each in FRACTIONS})
    return charts.power(
        [(display.number(each), round(100 * plan.power_with(each), 1)) for each in sizes]
    )


def _percent(part: float) -> str:
    return f"{100 * part:.3g} %" if part < 0.9995 else f"{100 * part:.0f} %"
