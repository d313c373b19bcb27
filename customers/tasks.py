"""One-line entries for Celery."""

from __future__ import annotations

from celery import shared_task

from customers.ingest import jobs
from customers.models import Segment
from customers.segments.refresh import refresh, refresh_all


@shared_task
def run_import(job_id: int) -> None:
    jobs.run(job_id)


@shared_task
def sweep_imports() -> None:
    for job_id in jobs.unattended():
        run_import.delay(job_id)


@shared_task
def refresh_segments() -> None:
    refresh_all()


@shared_task
def refresh_segment(segment_id: int) -> None:
    """Of a segment that may be gone by now."""
    for segment in Segment.objects.filter(pk=segment_id):
        refresh(segment)
