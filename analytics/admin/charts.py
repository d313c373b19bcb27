"""The charts of the dashboard and of a campaign's results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from analytics import commerce
from analytics.commerce import Category, Month
from analytics.funnel import Step
from analytics.metrics import Slot
from analytics.people.overview import ChurnRisk, Rfm
from analytics.satisfaction import Satisfaction
from crm.adminkit.charts import Chart, Series
from customers.models import Segment

MOST_DAYS, MOST_DAYS_BY_WEEK = 31, 120
COUNTERS = ("sent", "opened", "clicked", "converted")
PALETTE = ("primary", "blue", "green", "amber", "soft", "grey")


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


def revenue_line(months: Sequence[Month], last: date) -> Chart:
    return Chart(
        "monthly-revenue",
        "line",
        _("Revenue by month"),
        _month_names(months),
        [Series(_("Revenue"), [each.revenue for each in months], unit="money")],
        unfinished=_is_unfinished(last),
        csv=f"{reverse('analytics-monthly-revenue')}?format=csv",
    )


def categories(found: Sequence[Category], csv: str) -> Chart:
    """Revenue by category, best first; what has no category says so."""
    return Chart(
        "categories",
        "bar",
        _("Revenue by category"),
        [each.name or _("no category") for each in found],
        [Series(_("Revenue"), [each.revenue for each in found], unit="money")],
        horizontal=True,
        csv=csv,
    )


def segments(found: Sequence[Segment]) -> Chart:
    """The largest segments beside each other; people may be in several."""
    return Chart(
        "segments",
        "doughnut",
        _("The largest segments; a person may be in several"),
        [segment.name for segment in found],
        [Series(_("People"), [segment.size for segment in found], list(PALETTE[: len(found)]))],
        legend=True,
        csv=f"{reverse('segment-performance-list')}?format=csv",
    )


def satisfaction(found: Satisfaction) -> Chart:
    """A gauge of the mean mark between 1 and 5."""
    mark = found.average or Decimal(1)
    return Chart(
        "satisfaction",
        "doughnut",
        _("Mean mark of customers, 1 to 5"),
        [_("Mean mark"), _("Up to 5")],
        [Series(_("Mark"), [mark - 1, 5 - mark], [_mark_colour(mark), "track"])],
        shape="flat",
        half=True,
    )


def churn(risk: ChurnRisk) -> Chart:
    return Chart(
        "churn",
        "doughnut",
        _("Customers by their risk to buy nothing in 90 days"),
        [_("Low"), _("Medium"), _("High")],
        [Series(_("Customers"), [risk.low, risk.medium, risk.high], ["green", "amber", "fall"])],
        shape="flat",
        legend=True,
    )


def rfm_segments(rfm: Rfm) -> Chart:
    return Chart(
        "rfm-segments",
        "bar",
        _("Customers by RFM segment"),
        [_(segment.name) for segment in rfm.segments],
        [Series(_("Customers"), [segment.customers for segment in rfm.segments])],
        shape="tall",
        horizontal=True,
    )


def event_funnel(steps: Sequence[Step], csv: str) -> Chart:
    """The people at each step, one below the other."""
    return Chart(
        "event-funnel",
        "bar",
        _("People by step"),
        [f"{place}. {capfirst(str(step.label))}" for place, step in enumerate(steps, 1)],
        [Series(_("People"), [step.count for step in steps])],
        shape="tall" if len(steps) > 4 else "",
        horizontal=True,
        csv=csv,
    )


def power(points: Sequence[tuple[str, float]]) -> Chart:
    """The power of a test in percent, by people an arm."""
    return Chart(
        "power",
        "line",
        _("Power in %, by people an arm"),
        [people for people, _power in points],
        [Series(_("Power, %"), [Decimal(str(power)) for _people, power in points])],
    )


def course(slots: Sequence[Slot], id: str = "course") -> Chart:
    """What happened to messages when: by the hour or the day as the slots are, over many days by the week or the month."""
    daily = len(slots) > 1 and slots[1].start - slots[0].start > timedelta(hours=1)
    if daily and len(slots) > MOST_DAYS:
        slots = _coarser(slots)
    pattern = "M Y" if len(slots) > 1 and _is_by_month(slots) else "j M" if daily else "j M, H:i"
    return Chart(
        id,
        "bar",
        _("Results over time"),
        [date_format(timezone.localtime(each.start), pattern) for each in slots],
        [
            Series(_("Sent"), [each.sent for each in slots], "soft"),
            Series(_("Opened"), [each.opened for each in slots], "primary"),
            Series(_("Clicked"), [each.clicked for each in slots], "blue"),
            Series(_("Converted"), [each.converted for each in slots], "green"),
        ],
    )


def _coarser(days: Sequence[Slot]) -> list[Slot]:
    """Slots of weeks from Monday, or of calendar months, each by its first midnight: bars of more days than these could not be seen."""
    by_month = len(days) > MOST_DAYS_BY_WEEK
    sums: dict[datetime, Counter[str]] = {}
    for each in days:
        day = timezone.localtime(each.start)
        back = day.day - 1 if by_month else day.weekday()
        start = commerce.day_bounds((day - timedelta(days=back)).date(), day.date())[0]
        sums.setdefault(start, Counter()).update({name: getattr(each, name) for name in COUNTERS})
    return [Slot(start, **counted) for start, counted in sums.items()]


def _is_by_month(slots: Sequence[Slot]) -> bool:
    return slots[1].start - slots[0].start > timedelta(days=20)


def _mark_colour(mark: Decimal) -> str:
    return "green" if mark >= 4 else "amber" if mark >= 3 else "fall"


def _month_names(months: Sequence[Month]) -> list[str]:
    return [date_format(each.first_day, "M Y") for each in months]


def _is_unfinished(last: date) -> bool:
    """Whether the month goes on after its day `last`."""
    return (last + timedelta(days=1)).month == last.month
