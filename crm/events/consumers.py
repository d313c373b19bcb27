"""How events leave this system: into the stream, and into the queue of each webhook."""

from __future__ import annotations

from collections.abc import Sequence

from crm.events import stream
from crm.events.consume import PUBLIC, consumer
from crm.events.models import MarketingEvent
from crm.events.webhooks import queue


@consumer(PUBLIC)
def publish_to_stream(happened: Sequence[MarketingEvent]) -> None:
    """Talks to Redis while its cursor is held: that is what keeps two workers from publishing out of order."""
    stream.publish(happened)


@consumer(PUBLIC)
def queue_webhooks(happened: Sequence[MarketingEvent]) -> None:
    queue.add(happened)
