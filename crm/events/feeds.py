"""Feeds: append-only rows of a source, read by subscribers in the order in which they were committed.

A source is a table whose rows keep the transaction that wrote them (crm.events.columns): the outbox, the timeline. Each subscriber
has a cursor of its own and handles batches of rows (crm.events.reader).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connection

from crm.events.columns import HORIZON
from crm.events.models import DeadLetter, FeedCursor

LIMIT = 500


class Unavailable(Exception):
    """Something that a subscriber needs is away; the rows are not to blame."""


class Position(NamedTuple):
    """A place in a source, in the order of reading."""

    transaction: int = 0
    id: int = 0


@dataclass(frozen=True)
class Source:
    """A table of append-only rows with `transaction`, `type` and the primary key `key`.

    `fetch` returns the rows that fit an SQL condition, given with its named parameters, in the order of reading.
    """

    name: str
    table: str
    key: str
    fetch: Callable[[str, dict[str, Any]], Sequence[Any]]

    def head(self) -> Position:
        """Return the position of the newest final row."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT newest.transaction::text::bigint, newest.{self.key} FROM {self.table} AS newest
                WHERE newest.transaction < {HORIZON} ORDER BY newest.transaction DESC, newest.{self.key} DESC LIMIT 1
                """
            )
            return Position(*(cursor.fetchone() or ()))

    def locate(self, key: int) -> Position | None:
        """Return the position of a row by its key; None where it is gone."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT transaction::text::bigint, {self.key} FROM {self.table} WHERE {self.key} = %s",
                [key],
            )
            found = cursor.fetchone()
        return Position(*found) if found else None

    @property
    def range_sql(self) -> str:
        """SQL condition for the rows of a batch; its parameters are Batch.range."""
        return f"""(transaction, {self.key}) > (%(after_transaction)s::text::xid8, %(after_id)s)
            AND (transaction, {self.key}) <= (%(upto_transaction)s::text::xid8, %(upto_id)s)"""


@dataclass(frozen=True)
class Subscriber:
    """A function that handles batches of a source's rows, at most `limit` rows each.

    It gets all types where `types` is empty, and none that `excluded` returns. Between two turns it pauses for `every`.
    """

    name: str
    source: Source
    handle: Callable[[Batch], None]
    types: frozenset[str] = frozenset()
    excluded: Callable[[], Collection[str]] = tuple
    limit: int = LIMIT
    every: timedelta = timedelta()


@dataclass(frozen=True)
class Batch:
    """The rows for a subscriber after one position up to another, all of them final."""

    subscriber: Subscriber
    after: Position
    upto: Position
    size: int = 0

    @property
    def range(self) -> dict[str, Any]:
        """Parameters of Source.range_sql, for a subscriber that reads the rows in a statement of its own."""
        return {
            "after_transaction": str(self.after.transaction),
            "after_id": self.after.id,
            "upto_transaction": str(self.upto.transaction),
            "upto_id": self.upto.id,
        }

    @property
    def condition(self) -> tuple[str, dict[str, Any]]:
        """SQL condition for the rows, with its named parameters."""
        subscriber = self.subscriber
        conditions, parameters = [subscriber.source.range_sql], self.range
        if subscriber.types:
            conditions.append("type = ANY(%(types)s)")
            parameters["types"] = sorted(subscriber.types)
        if excluded := subscriber.excluded():
            conditions.append("type <> ALL(%(excluded)s)")
            parameters["excluded"] = list(excluded)
        return " AND ".join(conditions), parameters

    def rows(self) -> Sequence[Any]:
        return self.subscriber.source.fetch(*self.condition)


_subscribers: dict[str, Subscriber] = {}


def subscribe(subscriber: Subscriber) -> None:
    """Let a subscriber read from now on; a new one reads from the beginning. Raises ValueError for a name that is taken."""
    if subscriber.name in _subscribers:
        raise ValueError(f"Two subscribers are called “{subscriber.name}”.")
    _subscribers[subscriber.name] = subscriber


def subscribers(source: Source | None = None) -> list[Subscriber]:
    """Return all subscribers, or those of a source."""
    return [each for each in _subscribers.values() if source in (None, each.source)]


def find(name: str) -> Subscriber | None:
    """Return the subscriber of that name, if the code still has it."""
    return _subscribers.get(name)


def position(cursor: FeedCursor) -> Position:
    return Position(cursor.transaction, cursor.position)


def cursors(readers: Iterable[Subscriber]) -> dict[str, FeedCursor]:
    """Return the cursors of these subscribers by name; the cursor of a new subscriber stands at the beginning."""
    names = [each.name for each in readers]
    found = FeedCursor.objects.in_bulk(names)
    return {name: found.get(name) or FeedCursor(name=name) for name in names}


def take(name: str, *, wait: bool = False) -> FeedCursor | None:
    """Return a cursor, locked until the transaction ends; None while another process has it, unless to `wait` for it."""
    free = FeedCursor.objects.select_for_update(skip_locked=not wait).filter(name=name)
    cursor = free.first()
    if cursor or FeedCursor.objects.filter(name=name).exists():
        return cursor
    # only the first time: an insert waits for a transaction that changes a row of the same name
    FeedCursor.objects.bulk_create([FeedCursor(name=name)], ignore_conflicts=True)
    return free.first()


def read_by_all(source: Source) -> Position:
    """Return the position up to which every subscriber of the source has read."""
    return min(map(position, cursors(subscribers(source)).values()), default=Position())


def dead_letters(source: Source) -> list[int]:
    """Return the keys of the rows of a source that have a letter."""
    names = [each.name for each in subscribers(source)]
    letters = DeadLetter.objects.filter(subscriber__in=names)
    return list(letters.values_list("position", flat=True))
