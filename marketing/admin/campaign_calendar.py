"""The calendar of campaigns: a month as a grid, on small screens as a list of its busy days."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.adminkit import display
from marketing.admin import badges
from marketing.models import Campaign
from marketing.schedule import CalendarEntry, calendar_entries

MONDAY = 0


def page(admin: ModelAdmin[Campaign], request: HttpRequest) -> TemplateResponse:
    """Show the month of `?month=2027-02`, by default the current one."""
    today = timezone.localdate()
    first = _requested(request.GET.get("month", "")) or today.replace(day=1)
    days = list(Calendar(MONDAY).itermonthdates(first.year, first.month))
    found = calendar_entries(days[0], days[-1])
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.model._meta,
        "title": date_format(first, "F Y"),
        "weekdays": [date_format(day, "D") for day in days[:7]],
        "days": [_cell(day, first, today, found.get(day, [])) for day in days],
        "is_empty": not any(day.month == first.month for day in found),
        "before": f"{first - timedelta(days=1):%Y-%m}" if first.year > 2 else "",
        "after": f"{first + timedelta(days=32):%Y-%m}",
        "zone": timezone.get_current_timezone_name(),
        "media": admin.media,
    }
    return TemplateResponse(request, "admin/marketing/campaign/calendar.html", context)


def _requested(month: str) -> date | None:
    try:
        found = datetime.strptime(month, "%Y-%m").date()  # noqa: DTZ007
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


def _cell(day: date, first: date, today: date, entries: list[CalendarEntry]) -> dict[str, Any]:
    return {
        "date": day,
        "name": date_format(day, "D j M"),
        "is_other_month": day.month != first.month,
        "is_today": day == today,
        "entries": list(_lines(entries)),
    }


def _lines(entries: list[CalendarEntry]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        campaign = entry.campaign
        yield {
            "clock": date_format(timezone.localtime(entry.at), "H:i"),
            "name": campaign.name,
            "url": reverse("admin:marketing_campaign_change", args=[campaign.pk]),
            "icon": badges.CHANNEL_ICONS[campaign.channel],
            "past": entry.past,
            "frequency": _frequency(entry),
        }


def _frequency(entry: CalendarEntry) -> str:
    campaign = entry.campaign
    if entry.times is None:
        unit = (
            ngettext("every hour", "every %(number)s hours", campaign.interval)
            if campaign.frequency == Campaign.Frequency.HOURLY
            else _("every %(number)s seconds")
        )
        return unit % {"number": display.number(campaign.interval)}
    if entry.times == 1:
        return ""
    return _("%(number)s times") % {"number": display.number(entry.times)}
