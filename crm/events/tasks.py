from datetime import timedelta

from crm.events import dead_letters, feeds, lag, reader
from crm.events.webhooks import deliver
from crm.queues import Queue, one_at_a_time, recurring, task


@recurring("Read event feeds", every=timedelta(seconds=2), queue=Queue.FEEDS)
def read_feeds() -> None:
    """Start a task for each subscriber, so that a slow one delays no other."""
    for name in lag.due():
        read_feed.delay(name)


@one_at_a_time(queue=Queue.FEEDS, turn=1)
def read_feed(name: str) -> bool:
    """Let one subscriber handle its next batch."""
    subscriber = feeds.find(name)
    return subscriber is not None and reader.drain(subscriber, seconds=0).more


@one_at_a_time(queue=Queue.FEEDS, turn=1)
def replay_dead_letters(name: str) -> bool:
    return dead_letters.replay_all(name, seconds=1)


@recurring("Start webhook deliveries", every=timedelta(seconds=2), queue=Queue.DEFAULT)
def sweep_webhooks() -> None:
    """Start a task for each endpoint, so that a slow endpoint delays no other."""
    for endpoint_id in deliver.due():
        deliver_webhooks.delay(endpoint_id)


@task(Queue.DEFAULT)
def deliver_webhooks(endpoint_id: int) -> int:
    return deliver.deliver(endpoint_id)
