"""How the admin looks and what its sidebar leads to; a model shows up once its admin is registered."""

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
    """Any other page of ours, open to all staff or to those who have the permission."""

    url_name: str
    title: Promise
    icon: str
    permission: str = ""


SEE_FIGURES = "analytics.view_campaignmetrics"

AREAS: list[tuple[Promise, list[ModelLink | PageLink]]] = [
    (
        _("Customers"),
        [
            ModelLink("customers.customer", _("Customers"), "group"),
            ModelLink("customers.segment", _("Segments"), "filter_alt"),
            ModelLink("customers.order", _("Orders"), "shopping_bag"),
            ModelLink("customers.product", _("Products"), "inventory_2"),
            ModelLink("customers.serviceinteraction", _("Service"), "support_agent"),
            ModelLink("customers.visit", _("Visits"), "visibility"),
            ModelLink("customers.customerinterest", _("Interests"), "favorite"),
            ModelLink("customers.importjob", _("Imports"), "upload_file"),
            ModelLink("customers.bulkjob", _("Bulk jobs"), "checklist"),
            ModelLink("customers.likelyduplicate", _("Duplicates"), "join"),
            ModelLink("customers.merge", _("Merges"), "merge"),
            ModelLink("customers.topic", _("Topics"), "label"),
            ModelLink("customers.suppression", _("Suppressed"), "block"),
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
            PageLink("admin:analytics_customers", _("Customers"), "groups_2", SEE_FIGURES),
            PageLink("admin:analytics_marketing", _("Marketing"), "insights", SEE_FIGURES),
            PageLink("admin:analytics_funnel", _("Funnel"), "filter_list", SEE_FIGURES),
            PageLink(
                "admin:analytics_sample_size", _("Sample size calculator"), "science", SEE_FIGURES
            ),
            ModelLink("analytics.campaignmetrics", _("Campaign results"), "query_stats"),
            ModelLink("analytics.shareddashboard", _("Shared"), "share"),
            ModelLink("analytics.modelrun", _("Models"), "model_training"),
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
            ModelLink("django_celery_beat.periodictask", _("Periodic tasks"), "schedule"),
            ModelLink("events.marketingevent", _("Events"), "bolt"),
            ModelLink("events.feedcursor", _("Event feeds"), "rss_feed"),
            ModelLink("events.webhookendpoint", _("Webhooks"), "webhook"),
            ModelLink("events.webhookdelivery", _("Deliveries"), "send"),
            ModelLink("events.deadletter", _("Dead letters"), "report"),
            ModelLink("outbound.externalservicelog", _("Outgoing calls"), "output"),
            PageLink("api-docs", _("API"), "api"),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """unfold's SIDEBAR["navigation"]: the areas, each with what this user may see. Of links that lead to or above the page, the nearest
    is the active one."""
    groups = [
        (title, [_item(link) for link in links if _shows(link, request)]) for title, links in AREAS
    ]
    _mark_where_we_are(request, [item for _title, items in groups for item in items])
    return [{"title": title, "separator": True, "items": items} for title, items in groups if items]


def _mark_where_we_are(request: HttpRequest, items: list[dict[str, Any]]) -> None:
    """One link at most: the longest that the page lies below; the dashboard, above all others, on its own page alone."""
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
            {"title": _("Second step"), "link": reverse_lazy("second_factor_manage")},
            {"title": _("Where I am signed in"), "link": reverse_lazy("usersessions_list")},
        ]
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": navigation,
    },
}
