"""Tasks of the project itself."""

from datetime import timedelta

from crm import health, jobs
from crm.queues import Queue, recurring, task


@recurring("Record a heartbeat", every=timedelta(seconds=5), queue=Queue.SENDING)
def heartbeat() -> None:
    """Running it proves that beat sends tasks and that a worker for messages runs them; /readyz reports both."""
    health.note("beat")
    health.note("worker")


@task(Queue.JOBS)
def work_on_job(label: str, pk: int) -> None:
    if jobs.work_on(label, pk):
        work_on_job.delay(label, pk)


@recurring("Resume unattended jobs", every=timedelta(seconds=10), queue=Queue.DEFAULT)
def sweep_jobs() -> None:
    jobs.sweep()
