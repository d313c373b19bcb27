"""Tasks of the project itself."""

from celery import shared_task

from crm import health


@shared_task
def heartbeat() -> None:
    """Running it proves that beat sent it and that a worker took it; /readyz looks at both."""
    health.note("beat")
    health.note("worker")
