"""Tasks of the project itself."""

from celery import shared_task

from crm import health, jobs
from crm.nudge import nudge


@shared_task
def heartbeat() -> None:
    """Running it proves that beat sent it and that a worker took it; /readyz looks at both."""
    health.note("beat")
    health.note("worker")


@shared_task
def work_on_job(label: str, pk: int) -> None:
    if jobs.work_on(label, pk):
        nudge(jobs.TASK, label, pk)


@shared_task
def sweep_jobs() -> None:
    jobs.sweep()
