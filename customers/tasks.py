"""Celery tasks of one line each."""

from __future__ import annotations

from datetime import timedelta

from celery.schedules import crontab
from django.conf import settings

from crm.queues import Queue, recurring, task
from customers import identity, ingest, order_money, privacy
from customers.models import ImportJob, Segment
from customers.segments import dynamic_in_order, incremental, refresh, refresh_all


@recurring("Update segments as time passes", every=timedelta(minutes=1), queue=Queue.DEFAULT)
def follow_time() -> None:
    incremental.time_passed()


@recurring(
    "Refresh dynamic segments",
    every=timedelta(minutes=settings.SEGMENT_REFRESH_MINUTES),
    queue=Queue.DEFAULT,
)
def refresh_all_segments() -> None:
    """Start a task for each segment, so that a slow segment delays no other; it expires when the next is due."""
    for segment_id in dynamic_in_order():
        refresh_segment.apply_async((segment_id,), expires=settings.SEGMENT_REFRESH_MINUTES * 60)


@task(Queue.DEFAULT)
def refresh_segments(segment_ids: list[int]) -> None:
    """Refresh segments that a user has saved or chosen."""
    refresh_all(Segment.objects.filter(pk__in=segment_ids))


@task(Queue.JOBS)
def refresh_segment(segment_id: int) -> None:
    """Refresh a segment that is due or of which many customers changed; it may be deleted by now."""
    for segment in Segment.objects.filter(pk=segment_id):
        refresh(segment)


@task(Queue.JOBS)
def read_beginning(job_id: int) -> None:
    """Read the beginning of a large upload, which a page waits for; it may be deleted by now."""
    for job in ImportJob.objects.filter(pk=job_id):
        ingest.read_beginning(job)


@recurring("Apply retention rules", every=crontab(hour="2", minute="30"), queue=Queue.JOBS)
def apply_retention() -> None:
    privacy.apply_retention()


@recurring("Find likely duplicates", every=crontab(hour="2", minute="30"), queue=Queue.JOBS)
def find_duplicates() -> None:
    identity.find_duplicates()


@recurring(
    "Convert orders to the site's currency", every=crontab(hour="3", minute="0"), queue=Queue.JOBS
)
def convert_orders() -> None:
    """Apply exchange rates that came meanwhile, and a change of the site's currency."""
    order_money.convert_orders()
