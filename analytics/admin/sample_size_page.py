"""The sample size calculator: its inputs are in the address, and may start from a campaign or the purchases of an audience."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import sqrt
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.admin import charts
from analytics.admin.tiles import Tile
from analytics.days import as_of
from analytics.experiments import ALPHA, POWER, SampleSizePlan, purchases_of
from crm import masking
from crm.adminkit import display
from crm.api import places
from customers.models import Customer, Segment
from customers.segments import RuleError
from marketing import campaigns
from marketing.models import Campaign

RATE, REVENUE = "rate", "revenue"
ALL_CUSTOMERS = "everybody"
SHOWN_SEGMENTS = 200
MAX_ARMS = 10
MAX_CUSTOMERS = 1_000_000_000
FRACTIONS = (0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.25, 1.5, 2)
"""The power curve is drawn at these fractions of the sample size per variant."""
DEFAULTS: dict[str, Any] = {
    "kind": RATE,
    "rate": 5,
    "mean": 20,
    "deviation": 60,
    "lift": 10,
    "arms": 2,
    "confidence": round(100 * (1 - ALPHA)),
    "power": round(100 * POWER),
    "days": 7,
}


class SampleSizeForm(forms.Form):
    """The inputs, with rates, lifts and probabilities in percent; `rate` or `mean` and `deviation` are required, as `kind` says."""

    kind = forms.ChoiceField(
        choices=[
            (RATE, gettext_lazy("Conversion rate")),
            (REVENUE, gettext_lazy("Revenue per customer")),
        ]
    )
    rate = forms.FloatField(
        label=gettext_lazy("Baseline rate (%)"), min_value=0.001, max_value=99.9, required=False
    )
    mean = forms.FloatField(
        label=gettext_lazy("Baseline mean"), min_value=0.01, max_value=1_000_000, required=False
    )
    deviation = forms.FloatField(
        label=gettext_lazy("Standard deviation"),
        min_value=0.01,
        max_value=1_000_000,
        required=False,
    )
    lift = forms.FloatField(
        label=gettext_lazy("Minimum detectable effect (%)"), min_value=0.1, max_value=1000
    )
    arms = forms.IntegerField(label=gettext_lazy("Variants"), min_value=2, max_value=MAX_ARMS)
    confidence = forms.FloatField(
        label=gettext_lazy("Confidence level (%)"), min_value=50, max_value=99.99
    )
    power = forms.FloatField(label=gettext_lazy("Power (%)"), min_value=50, max_value=99.9)
    people = forms.IntegerField(
        label=gettext_lazy("Available audience"),
        min_value=1,
        max_value=MAX_CUSTOMERS,
        required=False,
    )
    per_day = forms.IntegerField(
        label=gettext_lazy("Customers per day"),
        min_value=1,
        max_value=MAX_CUSTOMERS,
        required=False,
    )
    days = forms.IntegerField(
        label=gettext_lazy("Conversion window (days)"), min_value=1, max_value=365
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        required = ("mean", "deviation") if given.get("kind") == REVENUE else ("rate",)
        for name in required:
            if name not in self.errors and given.get(name) is None:
                self.add_error(name, _("Enter a number."))
        return given

    @property
    def plan(self) -> SampleSizePlan:
        """Return the plan of a valid form."""
        given = self.cleaned_data
        by_revenue = given["kind"] == REVENUE
        return SampleSizePlan(
            base=given["mean"] if by_revenue else given["rate"] / 100,
            deviation=given["deviation"] if by_revenue else None,
            lift=given["lift"] / 100,
            arms=given["arms"],
            alpha=1 - given["confidence"] / 100,
            power=given["power"] / 100,
            available=given["people"],
            per_day=given["per_day"],
            days=given["days"],
        )


@dataclass(frozen=True, slots=True)
class Audience:
    """The customers whose purchases are the baseline."""

    name: str
    customers: QuerySet[Customer]


def context(request: HttpRequest) -> dict[str, Any]:
    """Return the context of templates/admin/analytics/sample_size.html."""
    campaign = _campaign(request.GET.get("campaign", ""))
    audience = _audience(request.GET.get("base", ""), campaign)
    inputs, has_baseline = _inputs(request, campaign, audience)
    form = SampleSizeForm(inputs)
    plan = form.plan if form.is_valid() else None
    return {
        "title": _("Sample size calculator"),
        "campaign": campaign,
        "form": form,
        "kind": form["kind"].value(),
        "kinds": {"rate": RATE, "revenue": REVENUE},
        "audience": audience,
        "has_baseline": has_baseline,
        "base": request.GET.get("base", ""),
        "segments": Segment.objects.order_by("name")[:SHOWN_SEGMENTS],
        "kept_inputs": [
            (name, form[name].value())
            for name in ("kind", "lift", "arms", "confidence", "power", "per_day")
            if form[name].value() not in (None, "")
        ],
        "tiles": _tiles(plan) if plan else [],
        "verdict": verdict(plan) if plan else "",
        "chart": _power_curve(plan) if plan and plan.per_arm else None,
    }


def verdict(plan: SampleSizePlan) -> str:
    """Word the result of a plan in one to three sentences."""
    if plan.per_arm is None or plan.total is None:
        return _("This effect is impossible: the rate would reach 100 %. Enter a smaller effect.")
    needed = _("The experiment needs %(each)s customers per variant, %(all)s in total.") % {
        "each": display.number(plan.per_arm),
        "all": display.number(plan.total),
    }
    if plan.available_per_arm is None:
        return needed
    if plan.available_per_arm >= plan.per_arm:
        return " ".join([needed, _("The available audience is large enough.")])
    smallest = plan.smallest_lift_with(plan.available_per_arm)
    detectable = (
        _("It can only detect an effect of more than 100 %.")
        if smallest is None or smallest > 1
        else _("It can detect an effect of %(lift)s or more.") % {"lift": _percent(smallest)}
    )
    missing = _("The available audience is %(number)s too small.") % {
        "number": display.number(plan.total - (plan.available or 0))
    }
    return " ".join([needed, missing, detectable])


def url_for(campaign: Campaign) -> str:
    """Return the address of the calculator with the inputs of a campaign."""
    return f"{reverse('admin:analytics_sample_size')}?{urlencode({'campaign': campaign.pk})}"


def _inputs(
    request: HttpRequest, campaign: Campaign | None, audience: Audience | None
) -> tuple[dict[str, Any], bool]:
    """Return the inputs, and whether their baseline is known.

    The address overrides the purchases of the audience, which override the settings of the campaign and the defaults.
    """
    given = {name: request.GET[name] for name in SampleSizeForm.base_fields if name in request.GET}
    of_campaign = _campaign_inputs(campaign) if campaign else {}
    days = given.get("days", of_campaign.get("days", DEFAULTS["days"]))
    is_given = {"people", "mean" if given.get("kind") == REVENUE else "rate"} <= given.keys()
    measured = _baseline(audience, days) if audience and not is_given else {}
    inputs = {**DEFAULTS, **of_campaign, **measured, **given}
    return inputs, is_given or {"rate", "mean"} <= measured.keys()


def _campaign_inputs(campaign: Campaign) -> dict[str, Any]:
    arms = max(campaign.variants.count(), 1) + bool(campaign.holdout_percent)
    limits = [campaign.hourly_limit and 24 * campaign.hourly_limit, campaign.sender.per_day]
    return {
        "arms": min(max(arms, 2), MAX_ARMS),
        "days": campaign.goal_window_days,
        "per_day": min((limit for limit in limits if limit), default=""),
        "kind": REVENUE if campaign.winner_metric == REVENUE else RATE,
    }


def _baseline(audience: Audience, days: Any) -> dict[str, Any]:
    """Return the purchase rate, mean and deviation of the audience in the last `days` days with figures."""
    number = int(days) if str(days).isdecimal() and 0 < int(days) <= 365 else DEFAULTS["days"]
    places.count()
    last = as_of()
    found = purchases_of(audience.customers, last - timedelta(days=number - 1), last)
    baseline: dict[str, Any] = {}
    people, buyers = masking.rounded(found.customers), masking.rounded(found.count)
    if people:
        baseline["people"] = people
    if buyers:
        baseline["rate"] = f"{100 * buyers / people:.3g}"
    if buyers and found.value > 0 and found.variance:
        baseline["mean"] = f"{found.value:.2f}"
        baseline["deviation"] = f"{sqrt(found.variance):.2f}"
    return baseline


def _campaign(given: str) -> Campaign | None:
    is_id = given.isdecimal() and len(given) < 19
    return Campaign.objects.select_related("sender").filter(pk=given).first() if is_id else None


def _audience(base: str, campaign: Campaign | None) -> Audience | None:
    """Return all customers or a segment, as `base` says, else the audience of the campaign; None without either."""
    if base == ALL_CUSTOMERS:
        return Audience(_("all customers"), Customer.objects.present())
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


def _tiles(plan: SampleSizePlan) -> list[Tile]:
    available = plan.available_per_arm
    smallest = None if available is None else plan.smallest_lift_with(available)
    enter_audience = _("Enter the available audience")
    days = _("%(number)s days") % {"number": display.number(plan.duration)}
    return [
        Tile(_("Sample size per variant"), display.number(plan.per_arm), _("at least")),
        Tile(
            _("Total sample size"),
            display.number(plan.total),
            _("%(arms)s variants of equal size") % {"arms": plan.arms},
        ),
        Tile(
            _("Power"),
            display.NOTHING if available is None else _percent(plan.power_with(available)),
            enter_audience if available is None else _("with the available audience"),
        ),
        Tile(
            _("Minimum detectable effect"),
            display.NOTHING if smallest is None else _percent(smallest),
            enter_audience if available is None else _("with the available audience"),
        ),
        Tile(
            _("Duration"),
            display.NOTHING if plan.duration is None else days,
            _("Enter the customers per day")
            if plan.duration is None
            else _("including the conversion window"),
        ),
    ]


def _power_curve(plan: SampleSizePlan) -> Any:
    assert plan.per_arm is not None
    sizes = sorted({max(round(plan.per_arm * each), 1) for each in FRACTIONS})
    return charts.power(
        [(display.number(each), round(100 * plan.power_with(each), 1)) for each in sizes]
    )


def _percent(part: float) -> str:
    return f"{100 * part:.3g} %" if part < 0.9995 else f"{100 * part:.0f} %"
