from celery import shared_task

from crm.events import consume


@shared_task
def consume_events() -> int:
    return consume.consume_all()
