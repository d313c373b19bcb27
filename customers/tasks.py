"""One-line entries for Celery."""

from __future__ import annotations

from celery import shared_task

from customers.ingest import jobs


@shared_task
def run_import(job_id: int) -> None:
    jobs.run(job_id)


@shared_task
def sweep_imports() -> None:
    for job_id in jobs.unattended():
        run_import.delay(job_id)
