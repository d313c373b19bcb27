"""The customers dashboard: sales, satisfaction, churn risk, RFM and retention."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics import commerce
from analytics.admin import charts
from analytics.admin.date_range import COMPARISONS, Compare, DateRange
from analytics.admin.tiles import Tile, change, heat_cell
from analytics.commerce import Cohort
from analytics.dashboards import CustomersDashboard, customers_dashboard
from analytics.people import Rfm
from crm import masking
from crm.adminkit import display
from crm.adminkit.charts import spark
from customers.models import Customer, Segment

SHOWN_CUSTOMERS = 5
SHOWN_CATEGORIES = 8
SHOWN_SEGMENTS = 6
COHORT_MONTHS = 12


def context(request: HttpRequest) -> dict[str, Any]:
    """Return the context of templates/admin/analytics/customers.html."""
    date_range = DateRange.of(request)
    board = customers_dashboard(date_range.first, date_range.last)
    churn, rfm, satisfaction = board.churn, board.rfm, board.satisfaction
    categories_csv = f"{reverse('analytics-categories')}?{date_range.query}&format=csv"
    return {
        "title": _("Customers"),
        "date_range": date_range,
        "has_customers": Customer.objects.exists(),
        "tiles": _tiles(board),
        "computed_at": board.figures.computed_at,
        "revenue": charts.revenue_line(board.figures.months, date_range.last),
        "top": [
            {
                "customer": each,
                "spend": display.money(each.total_spend),
                "orders": display.number(each.order_count),
            }
            for each in commerce.top_customers(SHOWN_CUSTOMERS)
        ],
        "categories": charts.categories(board.categories[:SHOWN_CATEGORIES], categories_csv),
        "segments": charts.segments(
            list(Segment.objects.filter(size__gt=0).order_by("-size", "name")[:SHOWN_SEGMENTS])
        ),
        "satisfaction": charts.satisfaction(satisfaction) if satisfaction.answers else None,
        "average_csat": f"{satisfaction.average:.2f}" if satisfaction.average else "",
        "answers": display.number(satisfaction.answers),
        "csat": display.rate(satisfaction.score, 1) if satisfaction.score is not None else "",
        "churn": charts.churn(churn) if churn.customers else None,
        "at_risk": display.people(churn.high),
        "rfm_segments": charts.rfm_segments(rfm) if rfm.customers else None,
        # a point is one customer, so users with masked data and shared pages see the heat map alone
        "rfm_scatter": charts.rfm_scatter(rfm) if rfm.points and not masking.is_on() else None,
        "rfm_sample": len(rfm.points) < rfm.customers and display.number(len(rfm.points)),
        "rfm": _rfm_rows(rfm) if rfm.customers else None,
        "cohorts": [_cohort_row(cohort) for cohort in board.cohorts],
        "cohort_months": range(COHORT_MONTHS),
        "cohorts_csv": charts.months_csv("analytics-cohorts", COHORT_MONTHS, date_range.last),
    }


def _tiles(board: CustomersDashboard) -> list[Tile]:
    figures, earlier = board.figures, board.figures_before
    now, before = figures.period.now, earlier.period.now
    value, loyal, loyal_before = figures.lifetime_value, figures.loyalty, earlier.loyalty
    per_buyer = now.revenue / figures.buyers if figures.buyers else None

    def previous(figure: str) -> str:
        return f"{figure} ({COMPARISONS[Compare.BEFORE]})"

    def number(name: str, key: str, note: str = "", values: Sequence[Decimal | int] = ()) -> Tile:
        figure, figure_before = getattr(figures, key), getattr(earlier, key)
        text = previous(display.number(figure_before))
        compared = change(figure, figure_before, text)
        return Tile(name, display.number(figure), note or text, compared, spark=spark(values))

    revenue_before = previous(display.money(before.revenue))
    return [
        Tile(
            _("Revenue"),
            display.money(now.revenue),
            revenue_before,
            change(now.revenue, before.revenue, revenue_before),
            spark=spark(figures.period.by_day),
        ),
        Tile(
            _("Orders"),
            display.number(now.orders),
            _("%(amount)s on average") % {"amount": display.money(now.average)},
            change(now.orders, before.orders, previous(display.number(before.orders))),
            spark=spark(figures.period.orders_by_day),
        ),
        number(
            _("Buyers"), "buyers", _("%(amount)s per buyer") % {"amount": display.money(per_buyer)}
        ),
        number(_("New customers"), "new", values=figures.new_by_day),
        number(_("Customers"), "number_at_end"),
        Tile(
            _("Repeat rate"),
            display.rate(loyal.repeat_buyers, loyal.buyers),
            _("of buyers ordered twice or more"),
        ),
        Tile(
            _("Retention rate"),
            display.rate(loyal.retained, loyal.buyers_before),
            _("of the previous period's buyers bought again"),
            change(
                loyal.retention_rate,
                loyal_before.retention_rate,
                previous(display.rate(loyal_before.retained, loyal_before.buyers_before)),
            ),
        ),
        Tile(
            _("Average lifetime value"),
            display.money(value.average),
            _("%(amount)s in all") % {"amount": display.money(value.total)},
        ),
    ]


def _rfm_rows(rfm: Rfm) -> list[dict[str, Any]]:
    """Return a heat map of customers: a row for each recency score, 5 first, a column for each frequency score."""
    counts: dict[tuple[int, int], int] = {}
    for (recency, frequency, _monetary), number in rfm.scores.items():
        counts[recency, frequency] = counts.get((recency, frequency), 0) + number
    most = max(counts.values())

    def cell(recency: int, frequency: int) -> dict[str, Any]:
        number = counts.get((recency, frequency), 0)
        return heat_cell(display.people(number), masking.rounded(number) / most)

    return [
        {"recency": recency, "cells": [cell(recency, frequency) for frequency in range(1, 6)]}
        for recency in range(5, 0, -1)
    ]


def _cohort_row(cohort: Cohort) -> dict[str, Any]:
    def cell(part: float, active: int, revenue: Decimal) -> dict[str, Any]:
        title = _("%(active)s of %(all)s customers, %(revenue)s") % {
            "active": display.people(active),
            "all": display.people(cohort.customers),
            "revenue": display.money(revenue),
        }
        return heat_cell(display.rate(Decimal(part).quantize(Decimal("0.001")), 1), part, title)

    months = zip(cohort.retention, cohort.active, cohort.revenue, strict=True)
    return {
        "month": date_format(cohort.month, "M Y"),
        "customers": display.people(cohort.customers),
        "cells": [cell(*month) for month in months],
    }
