"""Publish events in a Redis stream, each entry one CloudEvent.

    XREAD COUNT 100 STREAMS crm_events 0    →    id, ["event", "{…}"]

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
    """Append events in one round trip. Raises Unavailable."""
    if not settings.EVENT_STREAM:
        return
    try:
        with (
            Redis.from_url(settings.CACHES["default"]["LOCATION"], socket_timeout=SECONDS) as redis,
            redis.pipeline(transaction=True) as pipeline,
        ):
            for event in events:
                pipeline.xadd(
                    settings.EVENT_STREAM,
                    {"event": catalog.text(event)},
                    maxlen=settings.EVENT_STREAM_LENGTH,
                    approximate=True,
                )
            pipeline.execute()
    except RedisError as error:
        raise Unavailable(str(error)) from error
