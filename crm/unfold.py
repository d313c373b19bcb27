"""Look and sidebar of the admin; a model is listed once its admin is registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm import env


class ModelLink(NamedTuple):
    """A changelist, for users who may view its rows."""

    model: str
    title: Promise

    @property
    def url_name(self) -> str:
        return f"admin:{self.model.replace('.', '_')}_changelist"


class PageLink(NamedTuple):
    """Another page, for all staff or with a permission."""

    url_name: str
    title: Promise
    permission: str = ""


Link = ModelLink | PageLink


class Entry(NamedTuple):
    """An entry of the sidebar, with a Material Symbols icon. Its pages are tabs; it links to the first that the user may open."""

    title: Promise
    icon: str
    links: list[Link]


SEE_RESULTS = "analytics.view_campaignmetrics"

AREAS: list[tuple[Promise | str, list[Entry]]] = [
    ("", [Entry(_("Dashboard"), "monitoring", [PageLink("admin:index", _("Dashboard"))])]),
    (
        _("Customers"),
        [
            Entry(
                _("Customers"),
                "group",
                [
                    ModelLink("customers.customer", _("Customers")),
                    ModelLink("customers.importjob", _("Imports")),
                    ModelLink("customers.likelyduplicate", _("Likely duplicates")),
                    ModelLink("customers.merge", _("Merges")),
                    ModelLink("customers.bulkjob", _("Bulk jobs")),
                ],
            ),
            Entry(_("Segments"), "filter_alt", [ModelLink("customers.segment", _("Segments"))]),
            Entry(
                _("Activity"),
                "shopping_bag",
                [
                    ModelLink("customers.order", _("Orders")),
                    ModelLink("customers.product", _("Products")),
                    ModelLink("customers.visit", _("Visits")),
                    ModelLink("customers.serviceinteraction", _("Service tickets")),
                    ModelLink("customers.customerinterest", _("Interests")),
                    ModelLink("customers.exchangerate", _("Exchange rates")),
                ],
            ),
            Entry(
                _("Consent and privacy"),
                "shield_person",
                [
                    ModelLink("customers.topic", _("Topics")),
                    ModelLink("customers.suppression", _("Suppression list")),
                    ModelLink("customers.pushsubscription", _("Push subscriptions")),
                    ModelLink("customers.erasurereceipt", _("Erasures")),
                ],
            ),
        ],
    ),
    (
        _("Marketing"),
        [
            Entry(
                _("Campaigns"),
                "campaign",
                [
                    ModelLink("marketing.campaign", _("Campaigns")),
                    PageLink(
                        "admin:marketing_campaign_calendar",
                        _("Calendar"),
                        "marketing.view_campaign",
                    ),
                    ModelLink("marketing.campaignexecution", _("Messages")),
                ],
            ),
            Entry(
                _("Workflows"),
                "account_tree",
                [
                    ModelLink("marketing.workflow", _("Workflows")),
                    ModelLink("marketing.enrollment", _("Passages")),
                ],
            ),
            Entry(
                _("Templates"),
                "draft",
                [
                    ModelLink("marketing.campaigntemplate", _("Templates")),
                    ModelLink("marketing.snippet", _("Snippets")),
                    ModelLink("marketing.image", _("Images")),
                ],
            ),
            Entry(
                _("Sending"),
                "alternate_email",
                [
                    ModelLink("marketing.sender", _("Senders")),
                    ModelLink("marketing.frequencyrule", _("Frequency caps")),
                    ModelLink("marketing.quiethours", _("Quiet hours")),
                ],
            ),
            Entry(
                _("Analytics"),
                "insights",
                [
                    PageLink("admin:analytics_customers", _("Customers"), SEE_RESULTS),
                    PageLink("admin:analytics_marketing", _("Marketing"), SEE_RESULTS),
                    PageLink("admin:analytics_funnel", _("Funnel"), SEE_RESULTS),
                    ModelLink("analytics.campaignmetrics", _("Campaign results")),
                    PageLink(
                        "admin:analytics_sample_size", _("Sample size calculator"), SEE_RESULTS
                    ),
                    ModelLink("analytics.shareddashboard", _("Shared dashboards")),
                    ModelLink("analytics.modelrun", _("Predictive models")),
                ],
            ),
        ],
    ),
    (
        _("Settings"),
        [
            Entry(
                _("Users and roles"),
                "manage_accounts",
                [
                    ModelLink("accounts.user", _("Users")),
                    ModelLink("auth.group", _("Roles")),
                    ModelLink("accounts.auditentry", _("Audit trail")),
                ],
            ),
            Entry(
                _("Integrations"),
                "api",
                [
                    ModelLink("accounts.apitoken", _("API tokens")),
                    ModelLink("customers.writekey", _("Write keys")),
                    ModelLink("events.webhookendpoint", _("Webhooks")),
                    ModelLink("events.webhookdelivery", _("Webhook deliveries")),
                    ModelLink("events.marketingevent", _("Events")),
                    ModelLink("events.feedcursor", _("Event feeds")),
                    ModelLink("events.deadletter", _("Dead letters")),
                    ModelLink("customers.refusedid", _("Refused ids")),
                    ModelLink("outbound.externalservicelog", _("Outgoing calls")),
                    ModelLink("django_celery_beat.periodictask", _("Periodic tasks")),
                    PageLink("api-docs", _("API")),
                ],
            ),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar (unfold's SIDEBAR["navigation"]) with the entries of which the user may open a page."""
    here = _here(request)
    groups = []
    for title, entries in AREAS:
        items = [
            {
                "title": entry.title,
                "icon": entry.icon,
                "link": reverse(shown[0].url_name),
                "active": here in shown,
            }
            for entry in entries
            if (shown := _shown(entry, request))
        ]
        if items:
            groups.append({"title": title, "separator": bool(title), "items": items})
    return groups


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages of the current entry, with the current one marked; none on the page of a single row."""
    here = _here(request)
    if here is None or request.path != reverse(here.url_name):
        return []
    beside = next(
        links
        for _title, entries in AREAS
        for entry in entries
        if here in (links := _shown(entry, request))
    )
    return [
        {"title": link.title, "link": reverse(link.url_name), "active": link == here}
        for link in beside
        if len(beside) > 1
    ]


def pages(request: HttpRequest) -> Iterator[tuple[Entry, Link]]:
    """Yield each page that the user may open, with its entry of the sidebar."""
    for _title, entries in AREAS:
        for entry in entries:
            for link in _shown(entry, request):
                yield entry, link


def _here(request: HttpRequest) -> Link | None:
    """Return the page with the longest prefix of the path; the home page only for its own path."""
    index = reverse("admin:index")
    above = {
        address: link
        for _entry, link in pages(request)
        if request.path.startswith(address := reverse(link.url_name))
        and (address != index or request.path == index)
    }
    return above[max(above, key=len)] if above else None


def _shown(entry: Entry, request: HttpRequest) -> list[Link]:
    return [link for link in entry.links if _may_open(link, request)]


def _may_open(link: Link, request: HttpRequest) -> bool:
    from django.contrib import admin  # the site exists only once settings are read

    if isinstance(link, PageLink):
        return not link.permission or request.user.has_perm(link.permission)
    registered = admin.site._registry.get(apps.get_model(link.model))
    return registered is not None and registered.has_view_permission(request)


def stylesheet(request: HttpRequest) -> str:
    return static("kindling/kindling.css")


def chart_styles(request: HttpRequest) -> str:
    return static("kindling/charts.css")


def chart_script(request: HttpRequest) -> str:
    return static("kindling/charts.js")


def admin_script(request: HttpRequest) -> str:
    return static("kindling/admin.js")


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
    "SCRIPTS": [chart_script, admin_script],
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
