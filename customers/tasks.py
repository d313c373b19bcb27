"""One-line entries for Celery."""

from __future__ import annotations

from celery import shared_task

from customers.ingest import jobs
from customers.segments.refresh import refresh_all


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
