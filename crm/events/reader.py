"""The reader of feeds: a subscriber has its turn, and handles final rows batch by batch.

A batch is handled in one transaction, in which the subscriber's cursor moves: effects in this database happen exactly once, any others
at least once. Events of one customer come in the order in which they were committed.

A batch that fails is tried again after ever longer pauses. After ATTEMPTS failures its rows are handled one by one, and rows that still
fail become dead letters, so that the rows behind them are handled, those of the same customer too. While something that a subscriber
needs is away (Unavailable, a lost database), the subscriber waits and puts nothing aside.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import NamedTuple

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from crm import masking
from crm.events import dead_letters, feeds
from crm.events.feeds import Batch, Position, Subscriber, Unavailable
from crm.events.models import FeedCursor

logger = logging.getLogger(__name__)

ATTEMPTS = 5
LONGEST_PAUSE = 300
TURN = 2.0
"""Seconds after which the next subscriber has its turn."""
SLOW = 1.0
"""Seconds after which a batch was too large: until its transaction ends, no newer row becomes final for anybody."""


class Progress(NamedTuple):
    """How many rows were handled, and whether there are more to handle now."""

    handled: int = 0
    more: bool = False


@masking.hidden(False)
def drain(subscriber: Subscriber, seconds: float = TURN) -> Progress:
    """Let a subscriber handle batches for about `seconds`. An error is logged, and its batch comes again.

    Subscribers see all data, also in the request of a user who does not.
    """
    until, handled = time.monotonic() + seconds, 0
    while True:
        progress = _handle_next(subscriber)
        handled += progress.handled
        if not progress.more or time.monotonic() >= until:
            return Progress(handled, progress.more)


def catch_up(name: str) -> int:
    """Let the subscriber of that name handle everything that is left; returns how many rows."""
    subscriber = feeds.find(name)
    return drain(subscriber, float("inf")).handled if subscriber else 0


def drain_all(seconds: float = float("inf")) -> int:
    """Let all subscribers take turns until nothing is left, or time is over; returns how many rows were handled."""
    until, handled = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        turns = [drain(each) for each in feeds.subscribers()]
        handled += sum(turn.handled for turn in turns)
        if not any(turn.handled or turn.more for turn in turns):
            break
    return handled


def _handle_next(subscriber: Subscriber) -> Progress:
    try:
        try:
            return _handle_batch(subscriber)
        except (Unavailable, OperationalError) as error:
            logger.warning("Subscriber “%s” waits: %s", subscriber.name, error)
            return _after_outage(subscriber, error)
        except Exception as error:
            logger.exception("Subscriber “%s” failed.", subscriber.name)
            return _after_failure(subscriber, error)
    except (
        Exception
    ):  # the failure could not be noted: whatever it is, the next subscriber has its turn
        logger.exception("Subscriber “%s” is left for the next round.", subscriber.name)
        return Progress()


def _handle_batch(subscriber: Subscriber) -> Progress:
    started = time.monotonic()
    with transaction.atomic():
        cursor = feeds.take(subscriber.name)
        if cursor is None or pauses(cursor):
            return Progress()
        batch, head = _next_batch(subscriber, cursor)
        if batch.size:
            subscriber.handle(batch)
            cursor.error = ""
            _adapt(cursor, batch, time.monotonic() - started)
        return _move(cursor, batch, head)


def _after_outage(subscriber: Subscriber, error: Exception) -> Progress:
    with transaction.atomic():
        if cursor := feeds.take(subscriber.name):
            cursor.error = dead_letters.text(error)
            cursor.save(update_fields=["error"])
    return Progress()


def _after_failure(subscriber: Subscriber, error: Exception) -> Progress:
    """Note the failure, and put the row aside if it failed alone."""
    with transaction.atomic():
        cursor = feeds.take(subscriber.name)
        if cursor is None:
            return Progress()
        cursor.error = dead_letters.text(error)
        batch, head = _next_batch(subscriber, cursor)
        if cursor.one_by_one:
            dead_letters.put_aside(batch, error)
            return _move(cursor, batch, head)
        cursor.failures += 1
        if cursor.failures >= ATTEMPTS:
            cursor.one_by_one = batch.size
        else:
            pause = min(2 ** (cursor.failures - 1) - 1, LONGEST_PAUSE)
            cursor.retry_at = timezone.now() + timedelta(seconds=pause)
        cursor.save()
        return Progress(0, more=bool(cursor.one_by_one))


def _next_batch(subscriber: Subscriber, cursor: FeedCursor) -> tuple[Batch, Position]:
    """Return the next rows for the subscriber, with the rows between that it does not read, and the newest final position."""
    source, start = subscriber.source, feeds.position(cursor)
    head = max(source.head(), start)
    condition, parameters = Batch(subscriber, start, head).condition
    limit = 1 if cursor.one_by_one else min(cursor.batch_size or subscriber.limit, subscriber.limit)
    with connection.cursor() as database:
        database.execute(
            f"""
            SELECT batch.transaction::text::bigint, batch.{source.key}, count(*) OVER () FROM (
                SELECT transaction, {source.key} FROM {source.table}
                WHERE {condition} ORDER BY transaction, {source.key} LIMIT %(limit)s
            ) AS batch ORDER BY batch.transaction DESC, batch.{source.key} DESC LIMIT 1
            """,
            {**parameters, "limit": limit},
        )
        *last, size = database.fetchone() or (*head, 0)
    return Batch(subscriber, start, Position(*last) if size == limit else head, size), head


def _adapt(cursor: FeedCursor, batch: Batch, took: float) -> None:
    """Halve the next batch where this one was slow, and double it again where it was quick."""
    if cursor.one_by_one:
        return
    if took > SLOW and batch.size > 1:
        cursor.batch_size = batch.size // 2
    elif cursor.batch_size and took < SLOW / 2:
        doubled = cursor.batch_size * 2
        cursor.batch_size = doubled if doubled < batch.subscriber.limit else None


def _move(cursor: FeedCursor, batch: Batch, head: Position) -> Progress:
    if batch.upto == batch.after:
        return Progress()
    more = batch.upto < head
    cursor.transaction, cursor.position = batch.upto
    cursor.moved_at = timezone.now()
    cursor.one_by_one = max(cursor.one_by_one - batch.size, 0) if more else 0
    if not cursor.one_by_one:
        cursor.failures, cursor.retry_at = 0, None
    if not more:
        cursor.behind_since = None
    cursor.save()
    return Progress(batch.size, more)


def pauses(cursor: FeedCursor) -> bool:
    """Return whether a failed subscriber still waits for its next attempt."""
    return cursor.retry_at is not None and cursor.retry_at > timezone.now()
