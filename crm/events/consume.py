"""Consumers read the outbox each at its own pace: a cursor a consumer, batches in order, handled in one transaction.

A handler whose writes are in this database takes effect exactly once, because its cursor moves in the same transaction;
any other effect happens at least once. Events of one customer arrive in the order in which they were committed.

A batch that fails is tried again after ever longer pauses. When it has failed ATTEMPTS times, its events are handled one by one, and
those that still fail are put aside as dead letters: what comes after them, of the same customer too, goes on. A part of the system
that is merely away (Unavailable, a lost database) puts nothing aside.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import OperationalError, transaction
from django.utils import timezone

from crm.events import catalog, cursors
from crm.events.models import ConsumerCursor, DeadLetter, MarketingEvent
from crm.events.transactions import HORIZON

logger = logging.getLogger(__name__)

BATCH = 500
ATTEMPTS = 5
LONGEST_PAUSE = 300
LONGEST_ERROR = 2_000
PUBLIC = "*"
"""A subscription to every event that is not internal to this system (crm.events.catalog)."""

Handler = Callable[[Sequence[MarketingEvent]], None]


class Unavailable(Exception):
    """What a handler needs is away for now; the events are not to blame."""


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


def find(name: str) -> Consumer | None:
    """The consumer of that name, if the code still has it."""
    return _consumers.get(name)


def drain(reader: Consumer) -> int:
    """Let one consumer handle all that is final and unread; returns how many. An error is logged, and its batch comes again."""
    handled = 0
    while count := _next_batch(reader):
        handled += count
    return handled


def _next_batch(reader: Consumer) -> int:
    try:
        return _handle_batch(reader)
    except (Unavailable, OperationalError) as error:
        logger.warning("Consumer %s waits: %s", reader.name, error)
        return 0
    except Exception as error:
        logger.exception("Consumer %s failed; its events wait for the next round.", reader.name)
        return _after_failure(reader, error)


def _handle_batch(reader: Consumer) -> int:
    with transaction.atomic():
        cursor = cursors.take(reader.name)
        if cursor is None or (cursor.retry_at and cursor.retry_at > timezone.now()):
            return 0
        events = _unread(cursor, reader.types)
        if not events:
            return 0
        reader.handle(events)
        _move(cursor, events[-1])
        return len(events)


def _after_failure(reader: Consumer, error: Exception) -> int:
    """Note the failure; at the last attempt handle the events one by one. Returns how many were handled or put aside."""
    with transaction.atomic():
        cursor = cursors.take(reader.name)
        if cursor is None:
            return 0
        if cursor.failures + 1 >= ATTEMPTS:
            return _one_by_one(reader, cursor)
        cursor.failures += 1
        pause = min(2 ** (cursor.failures - 1) - 1, LONGEST_PAUSE)
        cursor.retry_at = timezone.now() + timedelta(seconds=pause)
        cursor.error = repr(error)[:LONGEST_ERROR]
        cursor.save()
    return 0


def _one_by_one(reader: Consumer, cursor: ConsumerCursor) -> int:
    events = _unread(cursor, reader.types)
    for event in events:
        try:
            with transaction.atomic():
                reader.handle([event])
        except (Unavailable, OperationalError):
            raise
        except Exception as error:
            logger.exception("Consumer %s cannot handle event %s.", reader.name, event.event_id)
            DeadLetter.objects.get_or_create(
                consumer=reader.name,
                position=event.position,
                defaults={
                    "type": event.type,
                    "customer_id": event.customer_id,
                    "error": repr(error)[:LONGEST_ERROR],
                },
            )
    if events:
        _move(cursor, events[-1])
    return len(events)


def _move(cursor: ConsumerCursor, last: MarketingEvent) -> None:
    cursor.transaction, cursor.position = last.transaction, last.position
    cursor.failures, cursor.retry_at, cursor.error = 0, None, ""
    cursor.save()


def _unread(cursor: ConsumerCursor, types: frozenset[str]) -> list[MarketingEvent]:
    wanted, named = (
        ("type <> ALL(%s)", catalog.internal())
        if PUBLIC in types
        else ("type = ANY(%s)", list(types))
    )
    return list(
        MarketingEvent.objects.raw(
            f"""
            SELECT * FROM events_marketingevent
            WHERE (transaction, position) > (%s::text::xid8, %s) AND transaction < {HORIZON}
              AND {wanted}
            ORDER BY transaction, position
            LIMIT %s
            """,
            [str(cursor.transaction), cursor.position, named, BATCH],
        )
    )
