"""Look and sidebar of the admin; a model is listed once its admin is registered."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.apps import apps
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm import env


class ModelLink(NamedTuple):
    """A changelist in the sidebar: the model's label, and a Material Symbols icon."""

    model: str
    title: Promise
    icon: str

    @property
    def url_name(self) -> str:
        return f"admin:{self.model.replace('.', '_')}_changelist"


class PageLink(NamedTuple):
    """Another page, for all staff or with a permission."""

    url_name: str
    title: Promise
    icon: str
    permission: str = ""


SEE_RESULTS = "analytics.view_campaignmetrics"

AREAS: list[tuple[Promise, list[ModelLink | PageLink]]] = [
    (
        _("Customers"),
        [
            ModelLink("customers.customer", _("Customers"), "group"),
            ModelLink("customers.segment", _("Segments"), "filter_alt"),
            ModelLink("customers.order", _("Orders"), "shopping_bag"),
            ModelLink("customers.exchangerate", _("Exchange rates"), "currency_exchange"),
            ModelLink("customers.product", _("Products"), "inventory_2"),
            ModelLink("customers.serviceinteraction", _("Service tickets"), "support_agent"),
            ModelLink("customers.visit", _("Visits"), "visibility"),
            ModelLink("customers.customerinterest", _("Interests"), "favorite"),
            ModelLink("customers.importjob", _("Imports"), "upload_file"),
            ModelLink("customers.bulkjob", _("Bulk jobs"), "checklist"),
            ModelLink("customers.likelyduplicate", _("Likely duplicates"), "join"),
            ModelLink("customers.merge", _("Merges"), "merge"),
            ModelLink("customers.topic", _("Topics"), "label"),
            ModelLink("customers.suppression", _("Suppression list"), "block"),
            ModelLink(
                "customers.pushsubscription", _("Push subscriptions"), "notifications_active"
            ),
            ModelLink("customers.erasurereceipt", _("Erasures"), "person_off"),
        ],
    ),
    (
        _("Marketing"),
        [
            ModelLink("marketing.campaign", _("Campaigns"), "campaign"),
            PageLink(
                "admin:marketing_campaign_calendar",
                _("Calendar"),
                "calendar_month",
                "marketing.view_campaign",
            ),
            ModelLink("marketing.campaigntemplate", _("Templates"), "draft"),
            ModelLink("marketing.snippet", _("Snippets"), "extension"),
            ModelLink("marketing.image", _("Images"), "image"),
            ModelLink("marketing.campaignexecution", _("Messages"), "outbox"),
            ModelLink("marketing.frequencyrule", _("Frequency caps"), "speed"),
            ModelLink("marketing.quiethours", _("Quiet hours"), "bedtime"),
            ModelLink("marketing.sender", _("Senders"), "alternate_email"),
        ],
    ),
    (
        _("Analytics"),
        [
            PageLink("admin:index", _("Dashboard"), "monitoring"),
            PageLink("admin:analytics_customers", _("Customers"), "groups_2", SEE_RESULTS),
            PageLink("admin:analytics_marketing", _("Marketing"), "insights", SEE_RESULTS),
            PageLink("admin:analytics_funnel", _("Funnel"), "filter_list", SEE_RESULTS),
            PageLink(
                "admin:analytics_sample_size", _("Sample size calculator"), "science", SEE_RESULTS
            ),
            ModelLink("analytics.campaignmetrics", _("Campaign results"), "query_stats"),
            ModelLink("analytics.shareddashboard", _("Shared dashboards"), "share"),
            ModelLink("analytics.modelrun", _("Predictive models"), "model_training"),
        ],
    ),
    (
        _("System"),
        [
            ModelLink("accounts.user", _("Users"), "manage_accounts"),
            ModelLink("auth.group", _("Roles"), "groups"),
            ModelLink("accounts.auditentry", _("Audit trail"), "history"),
            ModelLink("accounts.apitoken", _("API tokens"), "key"),
            ModelLink("customers.writekey", _("Write keys"), "vpn_key"),
            ModelLink("customers.refusedid", _("Refused ids"), "no_accounts"),
            ModelLink("django_celery_beat.periodictask", _("Periodic tasks"), "schedule"),
            ModelLink("events.marketingevent", _("Events"), "bolt"),
            ModelLink("events.feedcursor", _("Event feeds"), "rss_feed"),
            ModelLink("events.webhookendpoint", _("Webhooks"), "webhook"),
            ModelLink("events.webhookdelivery", _("Webhook deliveries"), "send"),
            ModelLink("events.deadletter", _("Dead letters"), "report"),
            ModelLink("outbound.externalservicelog", _("Outgoing calls"), "output"),
            PageLink("api-docs", _("API"), "api"),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the areas of the sidebar (unfold's SIDEBAR["navigation"]) with the links that the user may open."""
    groups = [
        (title, [_item(link) for link in links if _shows(link, request)]) for title, links in AREAS
    ]
    _mark_active(request, [item for _title, items in groups for item in items])
    return [{"title": title, "separator": True, "items": items} for title, items in groups if items]


def _mark_active(request: HttpRequest, items: list[dict[str, Any]]) -> None:
    """Mark the link with the longest prefix of the path; the home page only on its own page."""
    index = reverse("admin:index")
    above = [
        item["link"]
        for item in items
        if request.path.startswith(item["link"]) and item["link"] != index
    ]
    here = max(above, key=len, default=request.path)
    for item in items:
        item["active"] = item["link"] == here


def _shows(link: ModelLink | PageLink, request: HttpRequest) -> bool:
    from django.contrib import admin  # the site exists only once settings are read

    if isinstance(link, PageLink):
        return not link.permission or request.user.has_perm(link.permission)
    registered = admin.site._registry.get(apps.get_model(link.model))
    return registered is not None and registered.has_view_permission(request)


def _item(link: ModelLink | PageLink) -> dict[str, Any]:
    return {"title": link.title, "icon": link.icon, "link": reverse(link.url_name)}


def stylesheet(request: HttpRequest) -> str:
    return static("kindling/kindling.css")


def chart_styles(request: HttpRequest) -> str:
    return static("kindling/charts.css")


def chart_script(request: HttpRequest) -> str:
    return static("kindling/charts.js")


def flame(request: HttpRequest) -> str:
    return static("kindling/flame.svg")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": env.SITE_NAME,
    "SITE_HEADER": env.SITE_NAME,
    "SITE_URL": None,
    "SITE_ICON": flame,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": flame}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "DASHBOARD_CALLBACK": "analytics.admin.home_page.dashboard",
    "STYLES": [stylesheet, chart_styles],
    "SCRIPTS": [chart_script],
    "COMMAND": {
        "search_models": [
            "customers.customer",
            "customers.segment",
            "marketing.campaign",
        ]
    },
    "ACCOUNT": {
        "navigation": [
            {"title": _("Second factor"), "link": reverse_lazy("second_factor_manage")},
            {"title": _("Active sessions"), "link": reverse_lazy("usersessions_list")},
        ]
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": navigation,
    },
}
