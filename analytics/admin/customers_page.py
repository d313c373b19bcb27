"""The dashboard of customers: what they buy, how content they are, who stays and who may go."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics import commerce
from analytics.admin import charts
from analytics.admin.date_range import Span
from analytics.admin.tiles import Tile, change, spark
from analytics.cohorts import Cohort
from analytics.people.figures import Figures, figures
from analytics.people.overview import Rfm
from crm.adminkit import display
from customers.models import Customer, Segment

TOP = 5
CATEGORIES = 8
SEGMENTS = 6
COHORT_MONTHS = 12
DARK_FROM = 0.55
"""A cell of a heat map that is this full has white text."""


def context(request: HttpRequest) -> dict[str, Any]:
    """What templates/admin/analytics/customers.html shows."""
    span = Span.asked(request)
    found = figures(span.first, span.last)
    risk, rfm, content = found.churn, found.rfm, found.satisfaction
    return {
        "title": _("Customers"),
        "span": span,
        "has_customers": Customer.objects.exists(),
        "tiles": _tiles(found),
        "revenue": charts.revenue_line(found.months, span.last),
        "top": [
            {
                "customer": each,
                "spend": display.money(each.total_spend),
                "orders": display.number(each.order_count),
                "last": display.when(each.last_order_at),
            }
            for each in commerce.top_customers(TOP)
        ],
        "categories": charts.categories(
            found.categories[:CATEGORIES],
            f"{reverse('analytics-categories')}?{span.query}&format=csv",
        ),
        "segments": charts.segments(
            list(Segment.objects.filter(size__gt=0).order_by("-size", "name")[:SEGMENTS])
        ),
        "satisfaction": charts.satisfaction(content) if content.answers else None,
        "content": content,
        "mark": f"{content.average:.2f}" if content.average else "",
        "answers": display.number(content.answers),
        "csat": display.rate(content.score, 1) if content.score is not None else "",
        "churn": charts.churn(risk) if risk.customers else None,
        "at_risk": display.number(risk.high),
        "rfm_segments": charts.rfm_segments(rfm) if rfm.customers else None,
        "rfm": _rfm_cells(rfm) if rfm.customers else None,
        "cohorts": _cohort_rows(found.cohorts),
        "cohort_months": range(COHORT_MONTHS),
        "cohorts_csv": f"{reverse('analytics-cohorts')}?format=csv",
    }


def _tiles(found: Figures) -> list[Tile]:
    now, before = found.period.now, found.period.before
    per_buyer = now.revenue / found.buyers if found.buyers else None
    return [
        Tile(
            _("Revenue"),
            display.money(now.revenue),
            _("%(amount)s the days before") % {"amount": display.money(before.revenue)},
            change(now.revenue, before.revenue),
            spark=spark(found.period.by_day),
        ),
        Tile(
            _("Orders"),
            display.number(now.orders),
            _("%(amount)s on average") % {"amount": display.money(now.average)},
            change(now.orders, before.orders),
        ),
        Tile(
            _("Buyers"),
            display.number(found.buyers),
            _("%(amount)s each") % {"amount": display.money(per_buyer)},
            change(found.buyers, found.buyers_before),
        ),
        Tile(
            _("New customers"),
            display.number(found.new),
            _("%(number)s the days before") % {"number": display.number(found.new_before)},
            change(found.new, found.new_before),
        ),
    ]


def _rfm_cells(rfm: Rfm) -> list[dict[str, Any]]:
    """Rows of recency, 5 first, of cells by frequency: how many customers, and how full the cell is of the fullest."""
    counts: dict[tuple[int, int], int] = {}
    for (recency, frequency, _monetary), number in rfm.scores.items():
        counts[recency, frequency] = counts.get((recency, frequency), 0) + number
    most = max(counts.values())
    return [
        {
            "recency": recency,
            "cells": [_cell(counts.get((recency, f), 0), most) for f in range(1, 6)],
        }
        for recency in range(5, 0, -1)
    ]


def _cell(number: int, most: int) -> dict[str, Any]:
    heat = number / most
    return {"text": display.number(number), "heat": f"{heat:.3f}", "is_dark": heat > DARK_FROM}


def _cohort_rows(found: list[Cohort]) -> list[dict[str, Any]]:
    return [
        {
            "month": date_format(cohort.month, "M Y"),
            "customers": display.number(cohort.customers),
            "cells": [
                {
                    "text": display.rate(Decimal(part).quantize(Decimal("0.001")), 1),
                    "title": _("%(people)s of %(all)s, %(revenue)s")
                    % {
                        "people": display.number(people),
                        "all": display.number(cohort.customers),
                        "revenue": display.money(revenue),
                    },
                    "heat": f"{part:.3f}",
                    "is_dark": part > DARK_FROM,
                }
                for part, people, revenue in zip(
                    cohort.retention, cohort.active, cohort.revenue, strict=True
                )
            ],
        }
        for cohort in found
    ]
