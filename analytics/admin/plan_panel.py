"""On the page of a campaign that tests something and has not begun: the way to the planner."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from analytics.admin import plan_page
from analytics.experiments.campaign_experiment import is_experiment
from marketing.models import Campaign


def before(request: HttpRequest, campaign: Campaign) -> SafeString | str:
    """Nothing for a campaign that tests nothing."""
    if not request.user.has_perm("analytics.view_campaignmetrics") or not is_experiment(campaign):
        return ""
    return render_to_string(
        "admin/panels/plan_test.html", {"url": plan_page.for_campaign(campaign)}, request
    )
