"""The charts of the dashboard and of a campaign's results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics.commerce import Month
from analytics.metrics import Slot
from crm.adminkit.charts import Chart, Series


def revenue_by_month(months: Sequence[Month], last: date) -> Chart:
    """The months up to the one of `last`, up to which its figures go."""
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


def _is_unfinished(last: date) -> bool:
    """Whether the month goes on after its day `last`."""
    return (last + timedelta(days=1)).month == last.month
