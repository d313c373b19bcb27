"""Campaign results: a row for each campaign, and the pages of analytics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Min, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList as UnfoldChangeList

from analytics.admin import (
    customers_page,
    experiment_page,
    funnel_page,
    marketing_page,
    sample_size_page,
)
from analytics.models import CampaignMetrics
from analytics.performance import campaign_rows
from analytics.shared_dashboards import register, share_url
from crm.adminkit import display
from crm.adminkit.base import ModelAdmin, column
from marketing.admin import badges


class ResultsList(UnfoldChangeList):
    """A changelist that adds the results of the campaign to each row of a page, with few queries."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        shown: list[Any] = list(self.result_list)  # type: ignore[has-type]
        sums = campaign_rows([row.run.campaign for row in shown])
        for row, of_campaign in zip(shown, sums, strict=True):
            row.results = of_campaign
        self.result_list = shown


PAGES: list[tuple[str, str, Callable[..., dict[str, Any]]]] = [
    ("customers", "customers/", customers_page.context),
    ("marketing", "marketing/", marketing_page.context),
    ("funnel", "funnel/", funnel_page.context),
    ("sample_size", "sample-size/", sample_size_page.context),
    ("experiment", "experiment/<int:campaign_id>/", experiment_page.context),
]
"""Name, address and context of each page."""


@admin.register(CampaignMetrics)
class CampaignResultsAdmin(ModelAdmin):
    """The first hourly counter of each campaign represents the campaign; its page shows all hours."""

    forbids = ("add", "change", "delete")

    list_display = (
        "campaign",
        "sent_",
        "arrived",
        "opened_",
        "clicked_",
        "converted_",
        "attributed_revenue",
        "roi",
    )
    list_display_links = None
    list_filter = ("run__simulated", "run__campaign__state", "run__campaign__channel")
    search_fields = ("run__campaign__name",)
    search_help_text = _("Campaign name")
    ordering = ("-run__campaign",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CampaignMetrics]:
        firsts = (
            CampaignMetrics.objects.order_by().values("run__campaign").annotate(first=Min("pk"))
        )
        return (
            super()
            .get_queryset(request)
            .select_related("run__campaign")
            .filter(pk__in=firsts.values("first"))
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ResultsList

    def site_urls(self) -> list[URLPattern]:
        """Return the pages of analytics, below /admin/analytics/."""
        return [
            path(
                f"analytics/{address}",
                self.admin_site.admin_view(self._page(name, fill)),
                name=f"analytics_{name}",
            )
            for name, address, fill in PAGES
        ]

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        """Return redirects from the addresses of earlier versions, below this list."""
        return tuple(
            (
                address,
                f"analytics_{name}_before",
                self.guarded(self._moved_to(f"admin:analytics_{name}"), "view"),
            )
            for name, address, _fill in PAGES
        )

    @staticmethod
    def _moved_to(url_name: str) -> Callable[..., HttpResponse]:
        def moved(request: HttpRequest, model_admin: object = None, **kwargs: Any) -> HttpResponse:
            query = request.META["QUERY_STRING"]
            url = reverse(url_name, kwargs=kwargs)
            return HttpResponsePermanentRedirect(f"{url}?{query}" if query else url)

        return moved

    def _page(
        self, template: str, fill: Callable[..., dict[str, Any]]
    ) -> Callable[..., HttpResponse]:
        """Return a view of a page, for users who may see results."""

        def show(request: HttpRequest, model_admin: object = None, **kwargs: Any) -> HttpResponse:
            context = {
                **self.admin_site.each_context(request),
                **fill(request, **kwargs),
                "share_url": share_url(request, template, **kwargs),
            }
            return TemplateResponse(request, f"admin/analytics/{template}.html", context)

        return self.guarded(show, "view")

    @admin.display(description=_("Campaign"))
    def campaign(self, row: Any) -> SafeString:
        found = row.results
        return format_html(
            '<a href="{}" class="font-semibold">{}</a> {} {}',
            reverse("admin:marketing_campaign_change", args=[found.campaign.pk]),
            found.campaign,
            badges.campaign_state(found.campaign),
            badges.simulated() if found.simulated else "",
        )

    sent_ = column("results.totals.sent", _("Sent"), display.number)
    arrived = column(
        "results.totals", _("Delivered"), lambda of: display.rate(of.arrived, of.attempted)
    )
    opened_ = column("results.totals", _("Opened"), lambda of: display.rate(of.opened, of.arrived))
    clicked_ = column(
        "results.totals", _("Clicked"), lambda of: display.rate(of.clicked, of.arrived)
    )
    converted_ = column(
        "results.totals", _("Converted"), lambda of: display.rate(of.converted, of.arrived)
    )
    attributed_revenue = column("results.totals.revenue", _("Revenue"), display.money)
    roi = column("results.roi", _("ROI"), lambda roi: display.rate(roi.profit, roi.cost))


def _experiment(request: HttpRequest) -> dict[str, Any]:
    """Take the campaign from the query string; admin pages have it in their path."""
    given = request.GET.get("campaign_id", "")
    return experiment_page.context(
        request, int(given) if given.isdecimal() and len(given) < 19 else 0
    )


register("customers", _("Customers"), customers_page.context)
register("marketing", _("Marketing"), marketing_page.context)
register("funnel", _("Funnel"), funnel_page.context)
register("experiment", _("Experiment"), _experiment)
