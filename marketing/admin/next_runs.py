"""The next times of a campaign, as they are shown wherever its schedule is edited or read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.formats import date_format, time_format
from django.utils.safestring import SafeString

from marketing.admin.schedule_form import ScheduleForm
from marketing.models import Campaign
from marketing.schedule import campaign_times, wall_clock


def render(campaign: Campaign, given: QueryDict | None = None) -> SafeString:
    """What is planned; or what would be if the schedule were the one given, of which the first fault is told."""
    fault = ""
    if given is not None:
        form = ScheduleForm(given, instance=campaign)
        fault = next((str(errors[0]) for errors in form.errors.values()), "")
    context = {
        "times": [] if fault else list(_times(campaign)),
        "fault": fault,
        "zone": campaign.timezone.replace("_", " "),
        "local_time": campaign.local_time,
        "triggered": campaign.is_triggered,
    }
    return render_to_string("admin/marketing/campaign/next_runs.html", context)


def _times(campaign: Campaign) -> Iterator[dict[str, str]]:
    for moment in campaign_times.next_runs(campaign):
        shown = wall_clock.shows(moment, campaign.timezone)
        yield {
            "iso": moment.isoformat(),
            "day": date_format(shown, "D j M Y"),
            "clock": time_format(shown, _precision(shown)),
        }


def _precision(shown: datetime) -> str:
    return "H:i:s" if shown.second else "H:i"
