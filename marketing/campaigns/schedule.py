"""When a campaign runs: a clocked entry of celery-beat, which is the only clock."""

from __future__ import annotations

import json
from datetime import datetime

from django_celery_beat.models import ClockedSchedule, PeriodicTask

from marketing.models import Campaign

TASK = "marketing.tasks.launch_scheduled"


def start_at(campaign: Campaign, at: datetime) -> None:
    """Let beat start the campaign once at this time, instead of any time set before."""
    clocked, _ = ClockedSchedule.objects.get_or_create(clocked_time=at)
    entry, _ = PeriodicTask.objects.update_or_create(
        name=f"campaign {campaign.pk}",
        defaults={
            "task": TASK,
            "clocked": clocked,
            "one_off": True,
            "enabled": True,
            "args": json.dumps([campaign.pk]),
            "description": campaign.name[:200],
        },
    )
    Campaign.objects.filter(pk=campaign.pk).update(schedule=entry)
    campaign.schedule = entry


def forget(campaign: Campaign) -> None:
    """Take the campaign off the clock; nothing happens when it was not on it."""
    if campaign.schedule is None:
        return
    entry, campaign.schedule = campaign.schedule, None
    Campaign.objects.filter(pk=campaign.pk).update(schedule=None)
    entry.delete()
    if entry.clocked and not entry.clocked.periodictask_set.exists():
        entry.clocked.delete()
