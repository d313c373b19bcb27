"""The weekly report: figures of seven days, by e-mail to the addresses in WEEKLY_REPORT_TO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics.days import as_of
from analytics.headlines import campaign_figures, customer_figures
from crm.adminkit import display

DAYS = 7


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of the week and of the week before, formatted; `change` is "" without a figure before."""

    name: str
    now: str
    before: str
    change: str


def send(to: Sequence[str], last: date | None = None) -> int:
    """Send the report on the seven days up to `last`, by default the last day with figures; return the number of e-mails sent."""
    if not to:
        return 0
    last = last or as_of()
    context = {
        "site_name": settings.SITE_NAME,
        "week": _("%(first)s to %(last)s")
        % {
            "first": date_format(last - timedelta(days=DAYS - 1), "j M"),
            "last": date_format(last, "j M Y"),
        },
        "lines": lines(last),
        "customers_url": settings.SITE_URL + reverse("admin:analytics_customers") + f"?days={DAYS}",
        "marketing_url": settings.SITE_URL + reverse("admin:analytics_marketing") + f"?days={DAYS}",
    }
    message = EmailMultiAlternatives(
        _("%(site)s: the week %(week)s") % {"site": settings.SITE_NAME, "week": context["week"]},
        render_to_string("email/weekly_report.txt", context),
        to=list(to),
    )
    message.attach_alternative(render_to_string("email/weekly_report.html", context), "text/html")
    return message.send()


def lines(last: date) -> list[Line]:
    """Return the lines of the report; figures of campaigns are those of real campaigns."""
    weeks = [(end - timedelta(days=DAYS - 1), end) for end in (last, last - timedelta(days=DAYS))]
    customers, customers_before = (customer_figures.refresh(*week) for week in weeks)
    period = customers.period
    sent, sent_before = (campaign_figures(*week, simulated=False).totals for week in weeks)
    return [
        _money(_("Revenue"), period.now.revenue, period.before.revenue),
        _number(_("Orders"), period.now.orders, period.before.orders),
        _number(_("New customers"), customers.new, customers_before.new),
        _number(_("Messages sent"), sent.sent, sent_before.sent),
        _rate(_("Open rate"), sent.open_rate, sent_before.open_rate),
        _rate(_("Click rate"), sent.click_rate, sent_before.click_rate),
        _number(_("Conversions"), sent.converted, sent_before.converted),
        _money(_("Attributed revenue"), sent.revenue, sent_before.revenue),
    ]


def _number(name: str, now: int, before: int) -> Line:
    return Line(name, display.number(now), display.number(before), _change(now, before))


def _money(name: str, now: Decimal, before: Decimal) -> Line:
    return Line(name, display.money(now), display.money(before), _change(now, before))


def _rate(name: str, now: Decimal | None, before: Decimal | None) -> Line:
    return Line(name, _percent(now), _percent(before), _change(now, before))


def _percent(rate: Decimal | None) -> str:
    return display.NOTHING if rate is None else display.rate(rate, 1)


def _change(now: Decimal | int | None, before: Decimal | int | None) -> str:
    if now is None or not before:
        return ""
    return f"{(Decimal(now) - Decimal(before)) / abs(Decimal(before)):+.1%}"
