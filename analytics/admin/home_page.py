"""The admin's index: what a person sees first, from analytics.dashboard's data."""

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

from analytics import dashboard as data
from analytics import kpis
from analytics.admin import boards, charts
from analytics.admin.date_range import COMPARISONS, Compare, Span
from analytics.admin.tiles import Tile, change, spark
from analytics.commerce import Sales
from analytics.dashboard import CampaignRow, Dashboard, Notice, People, Underway
from analytics.kpis import Post, Shop
from analytics.metrics import Totals
from analytics.returns.roi import combined
from crm.adminkit import display
from customers.models import Customer, ErasureReceipt
from marketing.admin import badges

USUAL_DAYS = 30

LIFECYCLE_COLOURS = {
    Customer.Lifecycle.LEAD: "blue",
    Customer.Lifecycle.ACTIVE: "primary",
    Customer.Lifecycle.INACTIVE: "amber",
    Customer.Lifecycle.CHURNED: "grey",
}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK: the index's context, filled for those who may see results."""
    context = {**context, "title": _("Dashboard"), "site_name": settings.SITE_NAME}
    if not request.user.has_perm("analytics.view_campaignmetrics"):
        return context
    return {**context, **figures(request), "share_url": boards.share_url(request, "home")}


def figures(request: HttpRequest) -> dict[str, Any]:
    """What templates/admin/analytics/boards/home.html shows: of the days asked for, beside others, and what is going on now."""
    board = data.dashboard()
    span = Span.asked(request, "compare", usual=USUAL_DAYS)
    asked = request.GET.get("compare")
    compare = Compare(asked) if asked in set(Compare) else Compare.BEFORE
    shop = kpis.shop(span.first, span.last)
    return {
        "board": board,
        "span": span,
        "compare": compare,
        "comparisons": COMPARISONS,
        "tiles": _tiles(board, span, compare, shop),
        "revenue_chart": charts.revenue_by_month(shop.months, span.last),
        "growth_chart": charts.new_customers_by_month(shop.months, span.last),
        "lifecycle_chart": charts.customers_by_lifecycle(_lifecycle(board.people)),
        "lifecycle": [
            (label, display.number(number), colour)
            for label, number, colour in _lifecycle(board.people)
        ],
        "customers": display.number(board.people.number),
        "segments": _segments(board),
        "campaigns": [_campaign(row) for row in board.campaigns],
        "underway": [_underway(each) for each in board.underway],
        "notices": [*_failing_erasures(), *(_notice(each) for each in board.notices)],
    }


def _tiles(board: Dashboard, span: Span, compare: Compare, shop: Shop) -> list[Tile]:
    """Figures of campaigns are the real ones; where nothing was ever sent for real, the simulated ones, which say so."""
    simulated = bool(board.simulated.totals.sent and not board.real.totals.sent)
    post = kpis.post(span.first, span.last, simulated=simulated)
    other = span.compared(compare)
    shop_before = kpis.shop(*other) if other else None
    post_before = kpis.post(*other, simulated=simulated) if other else None
    against = str(dict(COMPARISONS)[compare]) if other else ""
    label = badges.simulated() if simulated else ""
    return [
        *_shop_tiles(board.people, shop, shop_before, against),
        *_post_tiles(post, post_before, against, label),
    ]


def _shop_tiles(people: People, now: Shop, before: Shop | None, against: str) -> list[Tile]:
    sales, earlier = now.period.now, before.period.now if before else Sales()
    new_before = before.new if before else 0
    revenue_before = f"{display.money(earlier.revenue)} {against}"
    return [
        Tile(
            _("Customers"),
            ("≈ " if people.estimated else "") + display.number(people.number),
            _("%(number)s new") % {"number": display.number(now.new)},
            change(now.new, new_before, f"{display.number(new_before)} {against}"),
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
            change(sales.orders, earlier.orders, f"{display.number(earlier.orders)} {against}"),
            spark=spark(now.period.orders_by_day),
        ),
    ]


def _post_tiles(
    now: Post, before: Post | None, against: str, label: SafeString | str
) -> list[Tile]:
    totals, earlier = now.totals, before.totals if before else Totals()
    roi, roi_before = now.roi, before.roi if before else combined([])

    def tile(
        name: str, number: str, note: str, figures: tuple[Any, Any], was: str, course: str
    ) -> Tile:
        told = change(*figures, f"{was} {against}")
        return Tile(name, number, note, told, label, spark(now.by_day[course]))

    return [
        tile(
            _("ROI"),
            display.rate(roi.profit, roi.cost),
            _("%(profit)s profit on %(cost)s")
            % {"profit": display.money(roi.profit), "cost": display.money(roi.cost)}
            if roi.cost is not None
            else _("Enter what a campaign cost"),
            (roi.roi, roi_before.roi),
            display.rate(roi_before.profit, roi_before.cost),
            "revenue",
        ),
        tile(
            _("Messages sent"),
            display.number(totals.sent),
            _("%(rate)s arrived") % {"rate": display.rate(totals.arrived, totals.sent)}
            if totals.sent
            else _("Nothing sent on these days"),
            (totals.sent, earlier.sent),
            display.number(earlier.sent),
            "sent",
        ),
        tile(
            _("Open rate"),
            display.rate(totals.opened, totals.arrived),
            _("%(number)s opened") % {"number": display.number(totals.opened)},
            (totals.open_rate, earlier.open_rate),
            display.rate(earlier.opened, earlier.arrived),
            "open_rate",
        ),
        tile(
            _("Click rate"),
            display.rate(totals.clicked, totals.arrived),
            _("%(number)s clicked") % {"number": display.number(totals.clicked)},
            (totals.click_rate, earlier.click_rate),
            display.rate(earlier.clicked, earlier.arrived),
            "click_rate",
        ),
        tile(
            _("Conversions"),
            display.number(totals.converted),
            _("%(amount)s in orders") % {"amount": display.money(totals.revenue)},
            (totals.converted, earlier.converted),
            display.number(earlier.converted),
            "converted",
        ),
    ]


def _lifecycle(people: People) -> list[tuple[str, int, str]]:
    return [
        (str(status.label), people.by_lifecycle[status], LIFECYCLE_COLOURS[status])
        for status in Customer.Lifecycle
    ]


def _segments(board: Dashboard) -> list[dict[str, Any]]:
    largest = max((segment.size for segment in board.segments), default=0) or 1
    return [
        {
            "segment": segment,
            "size": display.number(segment.size),
            "width": 100 * segment.size / largest,
        }
        for segment in board.segments
    ]


def _campaign(row: CampaignRow) -> dict[str, Any]:
    totals = row.totals
    return {
        "campaign": row.campaign,
        "state": badges.campaign_state(row.campaign),
        "simulated": badges.simulated() if row.simulated else "",
        "figures": [
            (_("Sent"), display.number(totals.sent) if totals.sent else display.NOTHING),
            (_("Opened"), display.rate(totals.opened, totals.arrived)),
            (_("Clicked"), display.rate(totals.clicked, totals.arrived)),
            (_("Converted"), display.rate(totals.converted, totals.arrived)),
            (_("Revenue"), display.money(totals.revenue) if totals.sent else display.NOTHING),
            (
                _("ROI"),
                display.rate(row.roi.profit, row.roi.cost) if totals.sent else display.NOTHING,
            ),
        ],
    }


def _underway(each: Underway) -> dict[str, Any]:
    return {
        "campaign": each.run.campaign,
        "state": badges.campaign_state(each.run.campaign),
        "simulated": badges.simulated() if each.run.simulated else "",
        "bar": display.bar(each.done, each.total),
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
        "error": _("{campaign} does not go on: {detail}"),
        "overdue": _("{campaign} should have started: is the scheduler running?"),
        "failed": ngettext(
            "{campaign}: {number} message was refused for good.",
            "{campaign}: {number} messages were refused for good.",
            notice.number,
        ),
        "unconfirmed": ngettext(
            "{campaign}: {number} message may or may not have arrived; say what became of it.",
            "{campaign}: {number} messages may or may not have arrived; say what became of them.",
            notice.number,
        ),
    }
    return format_html(texts[notice.kind], **values)


boards.register("home", gettext_lazy("Dashboard"), figures)
