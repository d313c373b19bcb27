"""Charts as data, drawn by static/kindling/charts.js, each with its numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analytics.commerce import Month
from analytics.metrics import Slot
from crm.adminkit import display

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Series:
    """`colour` is one of the --chart-… colours of charts.css, or for a doughnut one a value; `unit` is how its values are written."""

    label: Text
    values: Sequence[Decimal | int]
    colour: str | list[str] = "primary"
    type: Literal["", "line"] = ""
    axis: Literal["", "right"] = ""
    unit: Literal["number", "money"] = "number"

    def written(self, place: int) -> str:
        write = display.money if self.unit == "money" else display.number
        return write(self.values[place])


@dataclass(frozen=True, slots=True)
class Chart:
    """`id` is the same each time the chart is drawn, so that what a person opened in it stays open."""

    id: str
    type: Literal["bar", "line", "doughnut"]
    about: Text
    labels: Sequence[str]
    series: Sequence[Series]
    shape: Literal["", "tall", "flat"] = ""

    @property
    def data(self) -> dict[str, Any]:
        """What charts.js is given."""
        return {
            "type": self.type,
            "format": self.series[0].unit,
            "currency": settings.CURRENCY,
            "labels": list(self.labels),
            "series": [
                {
                    "label": str(each.label),
                    "values": [float(value) for value in each.values],
                    "colour": each.colour,
                    "type": each.type,
                    "axis": each.axis,
                }
                for each in self.series
            ],
        }

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The numbers as a table, newest or last first as they stand."""
        return [
            (label, [each.written(place) for each in self.series])
            for place, label in enumerate(self.labels)
        ]

    def __html__(self) -> SafeString:
        return render_to_string("admin/analytics/chart.html", {"chart": self})


def revenue_by_month(months: Sequence[Month]) -> Chart:
    return Chart(
        "revenue-by-month",
        "bar",
        _("Revenue and orders by month"),
        _month_names(months),
        [
            Series(_("Revenue"), [each.revenue for each in months], unit="money"),
            Series(_("Orders"), [each.orders for each in months], "blue", "line", "right"),
        ],
        shape="tall",
    )


def new_customers_by_month(months: Sequence[Month]) -> Chart:
    return Chart(
        "new-customers-by-month",
        "bar",
        _("New customers by month"),
        _month_names(months),
        [Series(_("New customers"), [each.new_customers for each in months])],
    )


def customers_by_lifecycle(parts: Sequence[tuple[str, int, str]]) -> Chart:
    """Parts as (label, number, colour)."""
    labels, numbers, colours = zip(*parts, strict=True)
    return Chart(
        "customers-by-lifecycle",
        "doughnut",
        _("Customers by lifecycle status"),
        labels,
        [Series(_("Customers"), numbers, list(colours))],
        shape="flat",
    )


def course(slots: Sequence[Slot]) -> Chart:
    """What happened to a campaign's messages when; slots of a day begin at midnight, and are named by it."""
    daily = len(slots) > 1 and slots[1].start - slots[0].start > timedelta(hours=1)
    return Chart(
        "course",
        "bar",
        _("Results over time"),
        [
            date_format(timezone.localtime(each.start), "j M" if daily else "j M, H:i")
            for each in slots
        ],
        [
            Series(_("Sent"), [each.sent for each in slots], "soft"),
            Series(_("Opened"), [each.opened for each in slots], "primary"),
            Series(_("Clicked"), [each.clicked for each in slots], "blue"),
            Series(_("Converted"), [each.converted for each in slots], "green"),
        ],
    )


def _month_names(months: Sequence[Month]) -> list[str]:
    return [date_format(each.first_day, "M Y") for each in months]
