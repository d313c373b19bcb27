from datetime import timedelta

from crm.events import consume
from crm.events.webhooks import deliver
from crm.queues import Queue, recurring, task


@recurring("Process outbox events", every=timedelta(seconds=2), queue=Queue.FEEDS, turn=1)
def consume_events() -> int:
    return consume.consume_all()


@recurring("Start webhook deliveries", every=timedelta(seconds=2), queue=Queue.DEFAULT)
def sweep_webhooks() -> None:
    """A task an endpoint, so that a slow one delays no other."""
    for endpoint_id in deliver.due():
        deliver_webhooks.delay(endpoint_id)


@task(Queue.DEFAULT)
def deliver_webhooks(endpoint_id: int) -> int:
    return deliver.deliver(endpoint_id)
