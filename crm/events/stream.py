"""Publish events in Redis, each one CloudEvent: appended to a stream, and sent on a channel.

    XREAD COUNT 100 STREAMS crm_events 0    →    id, ["event", "{…}"]
    SUBSCRIBE crm_events                    →    "{…}"

The cursor is in PostgreSQL: a Redis that comes back empty gets the events that follow; earlier ones are at GET /api/events.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from redis import Redis, RedisError

from crm.events import catalog
from crm.events.feeds import Unavailable
from crm.events.models import MarketingEvent

SECONDS = 5.0


def publish(events: Sequence[MarketingEvent]) -> None:
    """Append and send events in one round trip. Raises Unavailable."""
    if not settings.EVENT_STREAM and not settings.EVENT_CHANNEL:
        return
    try:
        with (
            Redis.from_url(settings.CACHES["default"]["LOCATION"], socket_timeout=SECONDS) as redis,
            redis.pipeline(transaction=True) as pipeline,
        ):
            for event in events:
                text = catalog.text(event)
                if settings.EVENT_STREAM:
                    pipeline.xadd(
                        settings.EVENT_STREAM,
                        {"event": text},
                        maxlen=settings.EVENT_STREAM_LENGTH,
                        approximate=True,
                    )
                if settings.EVENT_CHANNEL:
                    pipeline.publish(settings.EVENT_CHANNEL, text)
            pipeline.execute()
    except RedisError as error:
        raise Unavailable(str(error)) from error
