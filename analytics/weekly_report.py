"""The week in figures, by e-mail to those whom WEEKLY_REPORT_TO names."""

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

from analytics import commerce, metrics
from analytics.metrics import Totals
from crm.adminkit import display
from marketing.models import CampaignRun

DAYS = 7


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of the week and of the one before; `change` is written, "" where there is nothing to compare with."""

    name: str
    now: str
    before: str
    change: str


def send(to: Sequence[str], last: date | None = None) -> int:
    """Send the report on the seven days up to `last` (the day up to which there are figures); returns how many mails were handed over."""
    if not to:
        return 0
    last = last or commerce.as_of()
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
    """The figures of the report; those of campaigns are of the real ones."""
    period = commerce.period(last, DAYS)
    before = last - timedelta(days=DAYS)
    now_sent, before_sent = _sent(last), _sent(before)
    return [
        _money(_("Revenue"), period.now.revenue, period.before.revenue),
        _number(_("Orders"), period.now.orders, period.before.orders),
        _number(
            _("New customers"),
            commerce.new_customers(last, DAYS),
            commerce.new_customers(before, DAYS),
        ),
        _number(_("Messages sent"), now_sent.sent, before_sent.sent),
        _rate(_("Open rate"), now_sent.open_rate, before_sent.open_rate),
        _rate(_("Click rate"), now_sent.click_rate, before_sent.click_rate),
        _number(_("Conversions"), now_sent.converted, before_sent.converted),
        _money(_("Revenue credited to messages"), now_sent.revenue, before_sent.revenue),
    ]


def _sent(last: date) -> Totals:
    days = commerce.day_bounds(last - timedelta(days=DAYS - 1), last)
    real = CampaignRun.objects.filter(simulated=False)
    return sum(metrics.totals_by_campaign(real, days).values(), Totals())


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
