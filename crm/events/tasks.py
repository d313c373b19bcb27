from celery import shared_task

from crm.events import consume
from crm.events.webhooks import deliver


@shared_task
def consume_events() -> int:
    return consume.consume_all()


@shared_task
def sweep_webhooks() -> None:
    """A task an endpoint, so that a slow one holds up no other."""
    for endpoint_id in deliver.due():
        deliver_webhooks.delay(endpoint_id)


@shared_task
def deliver_webhooks(endpoint_id: int) -> int:
    return deliver.deliver(endpoint_id)
