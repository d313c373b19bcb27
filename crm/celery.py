"""Set up Celery: every installed app's tasks.py declares its tasks and when beat calls them (crm.queues)."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import beat_init

from crm import queues

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

app = Celery("kindling")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = queues.SCHEDULE
app.autodiscover_tasks()


@beat_init.connect
def forget_former_schedule(**_signal: object) -> None:
    """Delete beat's entries for recurring tasks that the code has renamed or removed."""
    from django_celery_beat.models import PeriodicTask

    recurring = {entry["task"] for entry in queues.SCHEDULE.values()}
    former = PeriodicTask.objects.exclude(name__in=queues.SCHEDULE)
    former.exclude(task__in=set(app.tasks) - recurring).delete()
