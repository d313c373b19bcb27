"""The entries of campaigns in celery-beat, the only clock.

An entry only calls a task; the campaign's row (`next_run_at`) decides whether a run is due. So a call that comes twice, late, or on a day
that the interval skips does no harm.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db.models import Model
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)

from marketing.models import Campaign
from marketing.schedule import campaign_times
from marketing.schedule.rhythm import Rhythm

TASK = "marketing.tasks.launch_scheduled"
FROM_MONDAY = ("1", "2", "3", "4", "5", "6", "0")
"""The weekdays in cron's numbers."""
PERIODS = {"secondly": IntervalSchedule.SECONDS, "hourly": IntervalSchedule.HOURS}


def put_entry(campaign: Campaign, first: datetime) -> None:
    """Replace the campaign's entry by one that calls first at a time."""
    delete_entry(campaign)
    entry = PeriodicTask.objects.create(
        name=f"campaign {campaign.pk}",
        task=TASK,
        args=json.dumps([campaign.pk]),
        description=campaign.name[:200],
        **_when(campaign, first),
    )
    _set_entry(campaign, entry)


def delete_entry(campaign: Campaign) -> None:
    """Delete the campaign's entry, if it has one."""
    entry = campaign.schedule
    if entry is None:
        return
    _set_entry(campaign, None)
    entry.delete()
    for schedule in (entry.clocked, entry.crontab, entry.interval):
        if schedule and not schedule.periodictask_set.exists():
            schedule.delete()


def _set_entry(campaign: Campaign, entry: PeriodicTask | None) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(schedule=entry)
    campaign.schedule = entry


def _when(campaign: Campaign, first: datetime) -> dict[str, Any]:
    if not campaign.recurs:
        return {"clocked": _one(ClockedSchedule, clocked_time=first), "one_off": True}
    rhythm = campaign_times.rhythm(campaign, start=first)
    if period := PERIODS.get(rhythm.frequency):
        interval = _one(IntervalSchedule, every=rhythm.interval, period=period)
        return {"interval": interval, "start_time": first}
    return {"crontab": _one(CrontabSchedule, **_cron(rhythm)), "start_time": first}


def _cron(rhythm: Rhythm) -> dict[str, str]:
    """Return the cron fields of every day on which the rhythm may have a time; the rhythm decides on which it has."""
    first = rhythm.first_local
    days = {"day_of_week": "*", "day_of_month": "*"}
    if rhythm.frequency == "weekly":
        chosen = sorted(rhythm.weekdays) or [first.weekday()]
        days["day_of_week"] = ",".join(FROM_MONDAY[day] for day in chosen)
    if rhythm.frequency == "monthly":
        wanted = rhythm.day_of_month or first.day
        days["day_of_month"] = str(wanted) if wanted <= 28 else f"28-{wanted}"
    return {
        "minute": str(first.minute),
        "hour": str(first.hour),
        "month_of_year": "*",
        "timezone": rhythm.zone,
        **days,
    }


def _one(model: type[Model], **fields: Any) -> Any:
    """Return the shared row with these fields, or create it."""
    rows = model._default_manager.filter(**fields)
    return rows.first() or model._default_manager.create(**fields)
