"""How the subscribers of feeds keep up: which are due, and which stand still or fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from crm.events import feeds, reader
from crm.events.feeds import Subscriber
from crm.events.models import DeadLetter, FeedCursor

STANDS_STILL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Lag:
    """A subscriber's cursor, whether rows wait behind it, and how many events were put aside."""

    subscriber: Subscriber
    cursor: FeedCursor
    is_behind: bool
    dead_letters: int

    @property
    def stands_still(self) -> bool:
        """Return whether rows wait and none was read for STANDS_STILL."""
        since = self.cursor.behind_since
        if not self.is_behind or since is None:
            return False
        return max(since, self.cursor.moved_at) < timezone.now() - STANDS_STILL

    @property
    def fails(self) -> bool:
        """Return whether the last batch failed and events were put aside."""
        return bool(self.cursor.error and self.dead_letters)


def all_subscribers() -> list[Lag]:
    """Return the lag of each subscriber, in the order of their names."""
    letters = DeadLetter.objects.values_list("subscriber").annotate(Count("pk")).order_by()
    return _lags(dict(letters))


def _lags(letters: Mapping[str, int]) -> list[Lag]:
    found = sorted(feeds.subscribers(), key=lambda each: each.name)
    cursors = feeds.cursors(found)
    heads = {source: source.head() for source in {each.source for each in found}}
    return [
        Lag(
            each,
            cursor := cursors[each.name],
            feeds.position(cursor) < heads[each.source],
            letters.get(each.name, 0),
        )
        for each in found
    ]


def troubled() -> list[Lag]:
    """Return the subscribers that stand still or fail."""
    return [each for each in all_subscribers() if each.stands_still or each.fails]


def due(now: datetime | None = None) -> list[str]:
    """Return the names of subscribers with rows to read now, and note since when each is behind."""
    now = now or timezone.now()
    found = _lags({})
    _note([each for each in found if each.is_behind and not each.cursor.behind_since], now)
    _note([each for each in found if not each.is_behind and each.cursor.behind_since], None)
    return [
        each.subscriber.name
        for each in found
        if each.is_behind and not reader.pauses(each.cursor) and not _rests(each, now)
    ]


def _rests(each: Lag, now: datetime) -> bool:
    """Return whether a subscriber pauses between two turns; a new one, whose cursor is no row yet, had none."""
    is_new = each.cursor._state.adding
    return not is_new and each.cursor.moved_at + each.subscriber.every > now


def _note(lags: Iterable[Lag], behind_since: datetime | None) -> None:
    names = [each.subscriber.name for each in lags]
    if not names:
        return
    with transaction.atomic():  # a cursor that is locked moves at this moment
        free = FeedCursor.objects.select_for_update(skip_locked=True).filter(name__in=names)
        names = list(free.values_list("name", flat=True))
        FeedCursor.objects.filter(name__in=names).update(behind_since=behind_since)
