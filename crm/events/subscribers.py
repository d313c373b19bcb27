"""Send public events out: into the stream, and into the queue of each webhook."""

from __future__ import annotations

from collections.abc import Sequence

from crm.events import outbox, stream
from crm.events.models import MarketingEvent
from crm.events.webhooks import queue


@outbox.follows_public(name="publish to the event stream")
def publish_to_stream(events: Sequence[MarketingEvent]) -> None:
    """Append to Redis while the cursor is locked, so that two workers never publish out of order."""
    stream.publish(events)


@outbox.follows_public(name="queue webhook deliveries")
def queue_webhooks(events: Sequence[MarketingEvent]) -> None:
    queue.add(events)
