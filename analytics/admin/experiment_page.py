"""The experiment page of a campaign: the verdict, every variant with its interval, and the methods."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from analytics.admin import sample_size_page
from analytics.experiments import (
    METRICS,
    Arm,
    Experiment,
    Mean,
    Report,
    SampleSizePlan,
    experiment,
    format_measure,
    verdict,
)
from crm.adminkit import display
from marketing.models import Campaign

DEFAULT_METRIC = "conversion"
METRIC_NAMES = {
    "open": _("Opened"),
    "click": _("Clicked"),
    "visit": _("Visited"),
    "conversion": _("Converted"),
    "revenue": _("Revenue per customer"),
}


def context(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    """Return the context of templates/admin/analytics/experiment.html. Raises Http404 for an unknown campaign."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        raise Http404
    metric = request.GET.get("metric", DEFAULT_METRIC)
    found = experiment(campaign, metric if metric in METRICS else DEFAULT_METRIC)
    report = found.report
    return {
        "title": _("Experiment: %s") % campaign,
        "campaign": campaign,
        "sample_size_url": sample_size_page.url_for(campaign),
        "metrics": [
            {"key": key, "name": name, "is_current": key == report.metric}
            for key, name in METRIC_NAMES.items()
        ],
        "verdict": verdict(report),
        "mismatch": report.has_mismatch and report.declared,
        "arms": [_arm(arm, report) for arm in report.arms],
        "empty_arms": found.empty,
        "simulated": campaign.runs.filter(simulated=True).exists(),
        "is_over": report.is_over,
        "base": report.base,
        "sample_ratio": "" if report.sample_ratio_p is None else f"{report.sample_ratio_p:.3f}",
        "adjusted": _adjusted(found),
        "smallest_lift": _smallest_lift(report),
    }


def _arm(arm: Arm, report: Report) -> dict[str, Any]:
    """Return a row of the table; its interval is drawn on a scale from the lowest to the highest end of all arms."""
    low = min(each.interval[0] for each in report.arms)
    width = max(each.interval[1] for each in report.arms) - low or 1.0
    compared = arm.comparison
    p = (
        None
        if compared is None
        else compared.p_value
        if report.is_over
        else compared.always_valid_p
    )
    return {
        "name": arm.name,
        "is_holdout": arm.is_holdout,
        "customers": display.number(arm.measure.customers),
        "count": display.number(arm.measure.count),
        "value": format_measure(arm.measure),
        "between": _between(arm),
        "low": f"{100 * (arm.interval[0] - low) / width:.2f}%",
        "high": f"{100 * (arm.interval[1] - low) / width:.2f}%",
        "at": f"{100 * (arm.measure.value - low) / width:.2f}%",
        "lift": "" if compared is None or compared.lift is None else f"{compared.lift:+.1%}",
        "p": "" if p is None else ("< 0.001" if p < 0.001 else f"{p:.3f}"),
        "is_significant": p is not None and p < 0.05,
        "best": display.rate(Decimal(arm.posterior.best).quantize(Decimal("0.001")), 1),
        "loss": f"{arm.posterior.expected_loss:.4f}",
    }


def _between(arm: Arm) -> str:
    low, high = arm.interval
    if isinstance(arm.measure, Mean):
        return f"{display.money(round(Decimal(low), 2))} – {display.money(round(Decimal(high), 2))}"
    return f"{low:.2%} – {high:.2%}"


def _adjusted(found: Experiment) -> dict[str, Any] | None:
    if found.adjusted is None:
        return None
    return {
        "reduction": display.rate(Decimal(found.variance_reduction).quantize(Decimal("0.001")), 1),
        "arms": [_arm(arm, found.adjusted) for arm in found.adjusted.arms],
    }


def _smallest_lift(report: Report) -> str:
    """Return the minimum detectable effect, by the rate of the base and the smallest arm."""
    base = next((arm for arm in report.arms if arm.name == report.base), None)
    if base is None or report.metric == "revenue":
        return ""
    smallest = min(arm.measure.customers for arm in report.arms)
    plan = SampleSizePlan(base.measure.value, arms=len(report.arms))
    lift = plan.smallest_lift_with(smallest)
    return "" if lift is None else f"{lift:.1%}"
