"""The charts of the dashboards and of campaign results."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from analytics.commerce import Category, Month, Satisfaction
from analytics.days import midnight
from analytics.funnels import Step
from analytics.metrics import Slot
from analytics.people import ChurnRisk, Rfm
from crm.adminkit import display
from crm.adminkit.charts import Bubbles, Chart, Series
from customers.models import Segment

MAX_DAYS, MAX_DAYS_BY_WEEK = 31, 120
SEGMENT_LOOKS = {
    "Champions": ("green", "star"),
    "Loyal customers": ("green", "circle"),
    "Potential loyalists": ("blue", "circle"),
    "New customers": ("blue", "triangle"),
    "Promising": ("blue", "rect"),
    "Need attention": ("amber", "circle"),
    "About to sleep": ("amber", "triangle"),
    "Can't lose them": ("red", "star"),
    "At risk": ("red", "circle"),
    "Hibernating": ("grey", "circle"),
}
"""Colour and mark of each RFM segment: the better, the greener."""
COUNTERS = ("sent", "opened", "clicked", "converted")


def revenue_by_month(months: Sequence[Month], last: date) -> Chart:
    """Chart revenue and orders; the month of `last` may be unfinished."""
    return Chart(
        "revenue-by-month",
        "bar",
        _("Revenue and orders by month"),
        _month_names(months),
        [
            Series(_("Revenue"), [each.revenue for each in months], unit="money"),
            Series(_("Orders"), [each.orders for each in months], "amber", "line", "right"),
        ],
        shape="tall",
        unfinished=_is_unfinished(last),
    )


def new_customers_by_month(months: Sequence[Month], last: date) -> Chart:
    return Chart(
        "new-customers-by-month",
        "bar",
        _("New customers by month"),
        _month_names(months),
        [Series(_("New customers"), [each.new_customers for each in months])],
        unfinished=_is_unfinished(last),
    )


def customers_by_lifecycle(parts: Sequence[tuple[str, int, str]]) -> Chart:
    """Chart customers by lifecycle status, given as (label, number, colour)."""
    labels, numbers, colours = zip(*parts, strict=True)
    return Chart(
        "customers-by-lifecycle",
        "doughnut",
        _("Customers by lifecycle status"),
        labels,
        [Series(_("Customers"), numbers, list(colours), unit="people")],
        shape="flat",
    )


def revenue_line(months: Sequence[Month], last: date) -> Chart:
    return Chart(
        "monthly-revenue",
        "line",
        _("Revenue by month"),
        _month_names(months),
        [Series(_("Revenue"), [each.revenue for each in months], unit="money")],
        unfinished=_is_unfinished(last),
        csv=months_csv("analytics-monthly-revenue", len(months), last),
    )


def months_csv(url_name: str, months: int, last: date) -> str:
    """Return the address of the same months as a file."""
    return f"{reverse(url_name)}?{urlencode({'months': months, 'until': last, 'format': 'csv'})}"


def categories(found: Sequence[Category], csv: str) -> Chart:
    """Chart revenue by category, highest first."""
    return Chart(
        "categories",
        "bar",
        _("Revenue by category"),
        [each.name or _("No category") for each in found],
        [Series(_("Revenue"), [each.revenue for each in found], unit="money")],
        horizontal=True,
        csv=csv,
    )


def segments(found: Sequence[Segment]) -> Chart:
    """Chart the largest segments; as bars, because a customer may be in several of them."""
    return Chart(
        "segments",
        "bar",
        _("Largest segments; a customer may be in several"),
        [segment.name for segment in found],
        [Series(_("Customers"), [segment.size for segment in found], unit="people")],
        horizontal=True,
        csv=f"{reverse('segment-performance-list')}?format=csv",
    )


def satisfaction(found: Satisfaction) -> Chart:
    """Chart the average CSAT as a gauge from 1 to 5."""
    average = found.average or Decimal(1)
    return Chart(
        "satisfaction",
        "doughnut",
        _("Average CSAT (1 to 5)"),
        [_("Average CSAT"), _("Rest up to 5")],
        [Series(_("CSAT"), [average - 1, 5 - average], [_csat_colour(average), "track"])],
        shape="flat",
        half=True,
    )


def churn(risk: ChurnRisk) -> Chart:
    return Chart(
        "churn",
        "doughnut",
        _("Customers by churn risk (no purchase in 90 days)"),
        [_("Low"), _("Medium"), _("High")],
        [
            Series(
                _("Customers"),
                [risk.low, risk.medium, risk.high],
                ["green", "amber", "red"],
                unit="people",
            )
        ],
        shape="flat",
        legend=True,
    )


def rfm_segments(rfm: Rfm) -> Chart:
    return Chart(
        "rfm-segments",
        "bar",
        _("Customers by RFM segment"),
        [_(segment.name) for segment in rfm.segments],
        [Series(_("Customers"), [segment.customers for segment in rfm.segments], unit="people")],
        shape="tall",
        horizontal=True,
    )


def rfm_scatter(rfm: Rfm) -> Chart:
    """Chart buyers by recency and orders; the size is their spend, the colour and shape their segment."""
    most = max((point.spend for point in rfm.points), default=Decimal(0)) or Decimal(1)

    def points(segment: str) -> list[tuple[float, float, float, str]]:
        return [
            (
                each.days,
                each.orders,
                math.sqrt(max(each.spend, Decimal(0)) / most),
                display.money(each.spend),
            )
            for each in rfm.points
            if each.segment == segment
        ]

    shown = [segment for segment in rfm.segments if segment.customers]
    return Chart(
        "rfm-scatter",
        "bubble",
        _("Buyers by days since the last order and number of orders"),
        [_(segment.name) for segment in shown],
        [
            Series(_("Customers"), [segment.customers for segment in shown], unit="people"),
            Series(_("Total spend"), [segment.spend for segment in shown], unit="money"),
        ],
        shape="tall",
        bubbles=[
            Bubbles(_(each.name), points(each.name), *SEGMENT_LOOKS[each.name]) for each in shown
        ],
        axes=(_("Days since the last order"), _("Orders")),
    )


def event_funnel(steps: Sequence[Step], csv: str) -> Chart:
    """Chart the customers at each step."""
    return Chart(
        "event-funnel",
        "bar",
        _("Customers by step"),
        [f"{place}. {capfirst(str(step.label))}" for place, step in enumerate(steps, 1)],
        [Series(_("Customers"), [step.count for step in steps], unit="people")],
        shape="tall" if len(steps) > 4 else "",
        horizontal=True,
        csv=csv,
    )


def power(points: Sequence[tuple[str, float]]) -> Chart:
    """Chart the power of an experiment in percent by its sample size per variant."""
    return Chart(
        "power",
        "line",
        _("Power (%) by sample size per variant"),
        [size for size, _power in points],
        [Series(_("Power (%)"), [Decimal(str(power)) for _size, power in points])],
        axes=(_("Sample size per variant"), _("Power (%)")),
    )


def time_series(slots: Sequence[Slot], id: str = "time-series") -> Chart:
    """Chart results by hour or day as the slots are; over many days by week or month."""
    daily = len(slots) > 1 and slots[1].start - slots[0].start > timedelta(hours=1)
    if daily and len(slots) > MAX_DAYS:
        slots = _coarser(slots)
    pattern = "M Y" if len(slots) > 1 and _is_by_month(slots) else "j M" if daily else "j M, H:i"
    return Chart(
        id,
        "bar",
        _("Results over time"),
        [date_format(timezone.localtime(each.start), pattern) for each in slots],
        [
            Series(_("Sent"), [each.sent for each in slots], "grey"),
            Series(_("Opened"), [each.opened for each in slots], "sky"),
            Series(_("Clicked"), [each.clicked for each in slots], "blue"),
            Series(_("Converted"), [each.converted for each in slots], "amber"),
        ],
        axes=("", _("Messages")),
    )


def _coarser(days: Sequence[Slot]) -> list[Slot]:
    """Merge days into weeks from Monday, or into calendar months, so that the bars stay wide enough to see."""
    by_month = len(days) > MAX_DAYS_BY_WEEK
    sums: dict[datetime, Counter[str]] = {}
    for each in days:
        day = timezone.localtime(each.start)
        back = day.day - 1 if by_month else day.weekday()
        start = midnight((day - timedelta(days=back)).date())
        sums.setdefault(start, Counter()).update({name: getattr(each, name) for name in COUNTERS})
    return [Slot(start, **counted) for start, counted in sums.items()]


def _is_by_month(slots: Sequence[Slot]) -> bool:
    return slots[1].start - slots[0].start > timedelta(days=20)


def _csat_colour(average: Decimal) -> str:
    return "green" if average >= 4 else "amber" if average >= 3 else "red"


def _month_names(months: Sequence[Month]) -> list[str]:
    return [date_format(each.first_day, "M Y") for each in months]


def _is_unfinished(last: date) -> bool:
    """Return whether the month continues after its day `last`."""
    return (last + timedelta(days=1)).month == last.month
