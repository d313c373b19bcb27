"""Consumers read the outbox each at its own pace: a cursor a consumer, batches in order, handled in one transaction.

A handler whose writes are in this database takes effect exactly once, because its cursor moves in the same transaction;
any other effect happens at least once. Events of one customer arrive in the order in which they were committed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from crm.events import cursors
from crm.events.models import ConsumerCursor, MarketingEvent
from crm.events.transactions import HORIZON

logger = logging.getLogger(__name__)

BATCH = 500

Handler = Callable[[Sequence[MarketingEvent]], None]


@dataclass(frozen=True)
class Consumer:
    name: str
    types: frozenset[str]
    handle: Handler


_consumers: dict[str, Consumer] = {}


def consumer(*types: str) -> Callable[[Handler], Handler]:
    """Subscribe a function to event types; it is called with batches in order. Its dotted name is its cursor's."""

    def register(handle: Handler) -> Handler:
        name = f"{handle.__module__}.{handle.__name__}"
        _consumers[name] = Consumer(name, frozenset(types), handle)
        return handle

    return register


def consume_all() -> int:
    """Let every consumer handle what is final and unread; returns the number of events handled."""
    return sum(drain(each) for each in _consumers.values())


def subscriptions() -> list[tuple[str, str]]:
    """(name of a consumer, a type that it reads), for all of them."""
    return [(each.name, kind) for each in _consumers.values() for kind in sorted(each.types)]


def drain(reader: Consumer) -> int:
    """Let one consumer handle all that is final and unread. An error is logged and leaves its batch for the next time."""
    handled = 0
    try:
        while count := _handle_batch(reader):
            handled += count
    except Exception:
        logger.exception("Consumer %s failed; its events wait for the next round.", reader.name)
    return handled


def _handle_batch(reader: Consumer) -> int:
    with transaction.atomic():
        cursor = cursors.take(reader.name)
        if cursor is None:
            return 0
        events = list(_unread(cursor, reader.types))
        if not events:
            return 0
        reader.handle(events)
        cursor.transaction, cursor.position = events[-1].transaction, events[-1].position
        cursor.save()
        return len(events)


def _unread(cursor: ConsumerCursor, types: Iterable[str]) -> Iterable[MarketingEvent]:
    return MarketingEvent.objects.raw(
        f"""
        SELECT * FROM events_marketingevent
        WHERE (transaction, position) > (%s::text::xid8, %s) AND transaction < {HORIZON}
          AND type = ANY(%s)
        ORDER BY transaction, position
        LIMIT %s
        """,
        [str(cursor.transaction), cursor.position, list(types), BATCH],
    )
