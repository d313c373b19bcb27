"""The home page of the admin: headline figures of some days, and campaigns under way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics import shared_dashboards
from analytics.admin import charts
from analytics.admin.date_range import COMPARISONS, Compare, DateRange
from analytics.admin.first_steps import checklist
from analytics.admin.tiles import Tile, campaign_columns, campaign_tiles, change
from analytics.commerce import Sales
from analytics.dashboards import HomeDashboard, Notice, RunProgress, home_dashboard
from analytics.headlines import (
    PERIOD_DAYS,
    CampaignFigures,
    CustomerFigures,
    campaign_figures,
    customer_figures,
)
from analytics.metrics import Totals
from analytics.performance import CampaignRow
from analytics.returns import combined
from crm import masking
from crm.adminkit import display
from crm.adminkit.charts import spark
from crm.events import lag
from customers.models import Customer, ErasureReceipt
from marketing.admin import badges

LIFECYCLE_COLOURS = {
    Customer.Lifecycle.LEAD: "blue",
    Customer.Lifecycle.ACTIVE: "primary",
    Customer.Lifecycle.INACTIVE: "amber",
    Customer.Lifecycle.CHURNED: "grey",
}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the index of the admin (unfold's DASHBOARD_CALLBACK) for users who may see results."""
    context = {
        **context,
        "title": _("Dashboard"),
        "site_name": settings.SITE_NAME,
        "steps": checklist(request),
    }
    if not request.user.has_perm("analytics.view_campaignmetrics"):
        return context
    share_url = shared_dashboards.share_url(request, "home")
    return {**context, **figures(request), "share_url": share_url}


def figures(request: HttpRequest) -> dict[str, Any]:
    """Return the context of templates/admin/analytics/boards/home.html."""
    board = home_dashboard()
    date_range = DateRange.of(request, "compare", usual_days=PERIOD_DAYS)
    given = request.GET.get("compare")
    compare = Compare(given) if given in set(Compare) else Compare.BEFORE
    customers = customer_figures(date_range.first, date_range.last)
    lifecycle = [
        (str(status.label), board.customers.by_lifecycle[status], LIFECYCLE_COLOURS[status])
        for status in Customer.Lifecycle
    ]
    return {
        "board": board,
        "date_range": date_range,
        "compare": compare,
        "comparisons": COMPARISONS.items(),
        "tiles": _tiles(board, date_range, compare, customers),
        "computed_at": customers.computed_at,
        "revenue_chart": charts.revenue_by_month(customers.months, date_range.last),
        "growth_chart": charts.new_customers_by_month(customers.months, date_range.last),
        "lifecycle_chart": charts.customers_by_lifecycle(lifecycle),
        "lifecycle": [
            (label, display.people(number), colour) for label, number, colour in lifecycle
        ],
        "customers": display.number(board.customers.number),
        "segments": _segments(board),
        "campaigns": [_campaign(row) for row in board.campaigns],
        "under_way": [_run(each) for each in board.under_way],
        "notices": [
            *_failing_erasures(),
            *map(_notice, board.notices),
            *map(_feed_notice, lag.troubled()),
        ],
    }


def _tiles(
    board: HomeDashboard, date_range: DateRange, compare: Compare, customers: CustomerFigures
) -> list[Tile]:
    """Return the tiles; if no real message was ever sent, those of campaigns are simulated, and say so."""
    simulated = bool(board.simulated.totals.sent and not board.real.totals.sent)
    other = date_range.compared(compare)
    period = str(COMPARISONS[compare])
    campaigns = campaign_tiles(
        campaign_figures(date_range.first, date_range.last, simulated=simulated),
        campaign_figures(*other, simulated=simulated)
        if other
        else CampaignFigures(Totals(), combined([])),
        period,
        badges.simulated() if simulated else "",
    )
    return [
        *_customer_tiles(customers, customer_figures(*other) if other else None, period),
        *(campaigns[key] for key in ("roi", "sent", "open_rate", "click_rate", "converted")),
    ]


def _customer_tiles(
    now: CustomerFigures, before: CustomerFigures | None, period: str
) -> list[Tile]:
    sales, earlier = now.period.now, before.period.now if before else Sales()
    at_end_before = before.number_at_end if before else 0
    revenue_before = f"{display.money(earlier.revenue)} ({period})"
    return [
        Tile(
            _("Customers"),
            ("≈ " if now.estimated else "") + display.number(now.number),
            _("%(number)s new") % {"number": display.number(now.new)},
            change(now.number_at_end, at_end_before, f"{display.number(at_end_before)} ({period})"),
            spark=spark(now.new_by_day),
        ),
        Tile(
            _("Revenue"),
            display.money(sales.revenue),
            revenue_before if before else "",
            change(sales.revenue, earlier.revenue, revenue_before),
            spark=spark(now.period.by_day),
        ),
        Tile(
            _("Orders"),
            display.number(sales.orders),
            _("%(amount)s on average") % {"amount": display.money(sales.average)},
            change(sales.orders, earlier.orders, f"{display.number(earlier.orders)} ({period})"),
            spark=spark(now.period.orders_by_day),
        ),
    ]


def _segments(board: HomeDashboard) -> list[dict[str, Any]]:
    sizes = [masking.rounded(segment.size) for segment in board.segments]
    return [
        {
            "segment": segment,
            "size": display.people(segment.size),
            "width": 100 * size / (max(sizes) or 1),
        }
        for segment, size in zip(board.segments, sizes, strict=True)
    ]


def _campaign(row: CampaignRow) -> dict[str, Any]:
    return {
        "campaign": row.campaign,
        "state": badges.campaign_state(row.campaign),
        "simulated": badges.simulated() if row.simulated else "",
        "figures": campaign_columns(row.totals, row.roi),
    }


def _run(progress: RunProgress) -> dict[str, Any]:
    campaign = progress.run.campaign
    return {
        "campaign": campaign,
        "state": badges.campaign_state(campaign),
        "simulated": badges.simulated() if progress.run.simulated else "",
        "bar": display.bar(progress.done, progress.total),
    }


def _failing_erasures() -> Iterator[SafeString]:
    failing = ErasureReceipt.objects.filter(finished_at=None).exclude(failures={}).count()
    if failing:
        text = ngettext(
            "{number} erasure is not finished: a step fails.",
            "{number} erasures are not finished: a step fails.",
            failing,
        )
        link = f'<a href="{{url}}">{text}</a>'
        url = reverse("admin:customers_erasurereceipt_changelist")
        yield format_html(link, url=url, number=failing)


def _notice(notice: Notice) -> SafeString:
    campaign = format_html(
        '<a href="{}">{}</a>',
        reverse("admin:marketing_campaign_change", args=[notice.campaign.pk]),
        notice.campaign,
    )
    values = {"campaign": campaign, "number": notice.number, "detail": notice.detail}
    texts = {
        "error": _("{campaign} cannot continue: {detail}"),
        "overdue": _("{campaign} did not start on time. Check that the scheduler is running."),
        "failed": ngettext(
            "{campaign}: {number} message failed.",
            "{campaign}: {number} messages failed.",
            notice.number,
        ),
        "unconfirmed": ngettext(
            "{campaign}: the outcome of {number} message is unknown. Mark it as sent or failed.",
            "{campaign}: the outcome of {number} messages is unknown. Mark them as sent or failed.",
            notice.number,
        ),
    }
    return format_html(texts[notice.kind], **values)


def _feed_notice(each: lag.Lag) -> SafeString:
    text = (
        _("The event feed “{name}” has not moved for a minute: {detail}")
        if each.stands_still
        else _("The event feed “{name}” fails: {detail}")
    )
    url = reverse("admin:events_feedcursor_changelist")
    name = format_html('<a href="{}">{}</a>', url, each.subscriber.name)
    return format_html(text, name=name, detail=each.cursor.error or _("is a worker running?"))


shared_dashboards.register("home", gettext_lazy("Dashboard"), figures)
