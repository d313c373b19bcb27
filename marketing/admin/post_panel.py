"""Where a social campaign's posts are to be seen, on its page."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from crm.adminkit import panels
from marketing.models import Campaign, RunPost


def posts(request: HttpRequest, campaign: Campaign) -> SafeString | str:
    """The newest posts, or what kept them from being made; nothing for a campaign of another channel."""
    newest = RunPost.objects.filter(run__campaign=campaign).select_related("run").order_by("-run")
    if not newest.exists():
        return ""
    return render_to_string("admin/panels/campaign_posts.html", {"posts": newest[:10]})


panels.register("marketing.campaign", posts)
