"""The admin's index: what a person sees first, from analytics.dashboard's data."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics import dashboard as data
from analytics.admin import boards, charts
from analytics.admin.tiles import Tile, change, spark
from analytics.dashboard import CampaignRow, Dashboard, Notice, People, Results, Underway
from crm.adminkit import display
from customers.models import Customer
from marketing.admin import looks

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
    """What templates/admin/analytics/boards/home.html shows."""
    board = data.dashboard()
    return {
        "board": board,
        "tiles": [*_people_tiles(board.people), *_results_tiles(board)],
        "revenue_chart": charts.revenue_by_month(board.people.months, board.people.period.last),
        "growth_chart": charts.new_customers_by_month(
            board.people.months, board.people.period.last
        ),
        "lifecycle_chart": charts.customers_by_lifecycle(_lifecycle(board.people)),
        "lifecycle": [
            (label, display.number(number), colour)
            for label, number, colour in _lifecycle(board.people)
        ],
        "customers": display.number(board.people.number),
        "segments": _segments(board),
        "campaigns": [_campaign(row) for row in board.campaigns],
        "underway": [_underway(each) for each in board.underway],
        "notices": [_notice(each) for each in board.notices],
    }


def _people_tiles(people: People) -> list[Tile]:
    period = people.period
    days = _("30 days to %(day)s") % {"day": date_format(period.last, "j M Y")}
    return [
        Tile(
            _("Customers"),
            ("≈ " if people.estimated else "") + display.number(people.number),
            _("%(number)s new in 30 days") % {"number": display.number(people.new)},
        ),
        Tile(
            _("Revenue"),
            display.money(period.now.revenue),
            days,
            change(period.now.revenue, period.before.revenue),
            spark=spark(period.by_day),
        ),
        Tile(
            _("Orders"),
            display.number(period.now.orders),
            _("%(amount)s on average") % {"amount": display.money(period.now.average)},
            change(period.now.orders, period.before.orders),
        ),
    ]


def _results_tiles(board: Dashboard) -> list[Tile]:
    """The real results; where there are none, the simulated ones, which say so."""
    only_simulated = bool(board.simulated.totals.sent and not board.real.totals.sent)
    results = board.simulated if only_simulated else board.real
    label = looks.simulated() if only_simulated else ""
    totals, roi = results.totals, results.roi
    return [
        Tile(
            _("ROI"),
            display.rate(roi.profit, roi.cost),
            _("%(profit)s profit on %(cost)s")
            % {"profit": display.money(roi.profit), "cost": display.money(roi.cost)}
            if roi.cost is not None
            else _("Enter what a campaign cost"),
            label=label,
        ),
        Tile(_("Messages sent"), display.number(totals.sent), _beside(board, results), label=label),
        Tile(
            _("Open rate"),
            display.rate(totals.opened, totals.arrived),
            _("%(number)s opened") % {"number": display.number(totals.opened)},
            label=label,
        ),
        Tile(
            _("Click rate"),
            display.rate(totals.clicked, totals.arrived),
            _("%(number)s clicked") % {"number": display.number(totals.clicked)},
            label=label,
        ),
        Tile(
            _("Conversions"),
            display.number(totals.converted),
            _("%(amount)s in orders") % {"amount": display.money(totals.revenue)},
            label=label,
        ),
    ]


def _beside(board: Dashboard, shown: Results) -> str:
    arrived = _("%(rate)s arrived") % {
        "rate": display.rate(shown.totals.arrived, shown.totals.sent)
    }
    if shown is board.real and board.simulated.totals.sent:
        more = _("%(number)s more simulated") % {
            "number": display.number(board.simulated.totals.sent)
        }
        return f"{arrived}, {more}"
    return arrived if shown.totals.sent else _("Nothing sent yet")


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
        "state": looks.campaign_state(row.campaign),
        "simulated": looks.simulated() if row.simulated else "",
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
        "state": looks.campaign_state(each.run.campaign),
        "simulated": looks.simulated() if each.run.simulated else "",
        "bar": display.bar(each.done, each.total),
    }


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
