"""Subscribers of feeds are independent: a failing, waiting or slow one is reported and delays no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from celery import Task
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.events import dead_letters, feeds, lag, outbox, reader, tasks
from crm.events.feeds import Batch, Source, Subscriber, Unavailable
from crm.events.models import DeadLetter, FeedCursor
from crm.events.outbox import emit
from customers import timeline
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db(transaction=True)

TYPE = "test.happened"


class Reader:
    """A subscriber that remembers the rows it handled, and fails by `fault`."""

    def __init__(self, name: str, source: Source, **fields: Any) -> None:
        self.seen: list[Any] = []
        self.fault: Callable[[Sequence[Any]], None] = lambda _rows: None
        self.subscriber = Subscriber(
            name, source, self.handle, frozenset({TYPE}), **{"limit": 500, **fields}
        )
        feeds.subscribe(self.subscriber)

    def handle(self, batch: Batch) -> None:
        rows = batch.rows()
        self.fault(rows)
        self.seen += rows

    @property
    def numbers(self) -> list[int]:
        return [getattr(row, "data", None) or row.properties for row in self.seen]

    @property
    def cursor(self) -> FeedCursor:
        return FeedCursor.objects.get(name=self.subscriber.name)


@pytest.fixture(autouse=True)
def _only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "_subscribers", {})


@pytest.fixture(params=["outbox", "timeline"])
def source(request: pytest.FixtureRequest) -> Source:
    return outbox.SOURCE if request.param == "outbox" else timeline.SOURCE


@pytest.fixture
def write_events(source: Source) -> Iterator[Callable[..., None]]:
    """Write events 0, 1, … into the source."""
    customer = make_customer()

    def write(count: int, type: str = TYPE) -> None:
        with transaction.atomic():
            if source is outbox.SOURCE:
                for number in range(count):
                    emit(type, customer_id=customer.pk, data={"n": number})
            else:
                now = timezone.now()
                timeline.record_interactions(
                    [
                        timeline.NewInteraction(customer.pk, type, now, {"n": number})
                        for number in range(count)
                    ]
                )

    return write


def fails(error: Exception, *numbers: int) -> Callable[[Sequence[Any]], None]:
    """Return a fault that fails batches with one of these events, or every batch."""

    def fault(rows: Sequence[Any]) -> None:
        found = {(getattr(row, "data", None) or row.properties)["n"] for row in rows}
        if not numbers or found & set(numbers):
            raise error

    return fault


def round_after_pauses(times: int = 1) -> None:
    for _time in range(times):
        FeedCursor.objects.update(retry_at=None)
        for each in feeds.subscribers():
            reader.drain(each)


Happen = Callable[..., None]


def test_a_failing_subscriber_delays_no_other(source: Source, write_events: Happen) -> None:
    broken, healthy = Reader("a broken one", source), Reader("healthy", source)
    broken.fault = fails(ValueError("broken"))
    write_events(3)

    round_after_pauses()

    assert len(healthy.seen) == 3
    assert broken.seen == []
    assert broken.cursor.failures == 1
    assert broken.cursor.error == "ValueError('broken')"


def test_failing_events_become_dead_letters_and_replay(
    source: Source, write_events: Happen
) -> None:
    broken = Reader("broken", source)
    broken.fault = fails(ValueError("broken"), 1)
    write_events(4)

    round_after_pauses(reader.ATTEMPTS)

    assert [each["n"] for each in broken.numbers] == [0, 2, 3]
    assert DeadLetter.objects.get().error == "ValueError('broken')"
    assert broken.cursor.one_by_one == 0

    assert not dead_letters.replay_all("broken", seconds=5)
    assert DeadLetter.objects.count() == 1
    broken.fault = lambda _rows: None
    dead_letters.replay_all("broken", seconds=5)
    assert [each["n"] for each in broken.numbers] == [0, 2, 3, 1]
    assert not DeadLetter.objects.exists()


@pytest.mark.parametrize("away", [Unavailable("Redis"), OperationalError("gone")])
def test_an_outage_during_single_events_delays_no_other(
    source: Source, write_events: Happen, away: Exception
) -> None:
    broken, healthy = Reader("a broken one", source), Reader("healthy", source)
    broken.fault = fails(ValueError("broken"))
    write_events(3)
    round_after_pauses(reader.ATTEMPTS - 1)
    write_events(1)

    def breaks_then_is_away(rows: Sequence[Any]) -> None:
        raise ValueError("broken") if len(rows) > 1 else away

    broken.fault = breaks_then_is_away
    round_after_pauses()

    assert len(healthy.seen) == 4
    assert not DeadLetter.objects.exists()
    broken.fault = lambda _rows: None
    round_after_pauses()
    assert len(broken.seen) == 4


def test_a_cursor_skips_other_types(source: Source, write_events: Happen) -> None:
    only = Reader("only", source)
    write_events(5, "test.other")

    assert reader.drain(only.subscriber).handled == 0
    assert feeds.position(only.cursor) == source.head()
    assert lag.due() == []


def test_a_turn_ends_in_time_and_reports_remaining_work(
    source: Source, write_events: Happen
) -> None:
    slow = Reader("slow", source, limit=1)
    slow.fault = lambda _rows: time.sleep(0.05)
    write_events(10)

    turn = reader.drain(slow.subscriber, seconds=0.1)

    assert turn.more
    assert 0 < turn.handled < 10
    assert not reader.drain(slow.subscriber, seconds=10).more
    assert len(slow.seen) == 10


def test_slow_batches_shrink_and_grow_again(
    source: Source, write_events: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Reader("slow", source, limit=8)
    write_events(8)
    monkeypatch.setattr(reader, "SLOW", 0)
    reader.drain(slow.subscriber)
    assert slow.cursor.batch_size == 4

    monkeypatch.setattr(reader, "SLOW", 10)
    write_events(4)
    reader.drain(slow.subscriber)
    assert slow.cursor.batch_size is None


def test_a_subscriber_pauses_between_its_turns(source: Source, write_events: Happen) -> None:
    Reader("at once", source)
    Reader("in a while", source, every=timedelta(seconds=10))
    write_events(1)
    assert lag.due() == ["at once", "in a while"], "the first turn waits for nothing"
    round_after_pauses()
    write_events(1)

    assert lag.due() == ["at once"]
    assert lag.due(timezone.now() + timedelta(seconds=11)) == ["at once", "in a while"]


def test_a_stalled_feed_is_reported(
    source: Source, write_events: Happen, staff_client: Client
) -> None:
    Reader("stuck", source)
    write_events(1)
    assert lag.due() == ["stuck"]
    round_after_pauses()
    write_events(1)
    lag.due()
    assert lag.troubled() == []
    long_ago = timezone.now() - timedelta(seconds=61)
    FeedCursor.objects.update(behind_since=long_ago, moved_at=long_ago)

    assert [each.subscriber.name for each in lag.troubled()] == ["stuck"]
    assert staff_client.get("/readyz").json()["feeds"] == "not ok: stuck"
    home = staff_client.get(reverse("admin:index")).content.decode()
    assert "has not moved for a minute" in home

    round_after_pauses()
    assert staff_client.get("/readyz").json()["feeds"] == "ok"


def test_a_failing_feed_is_reported(
    source: Source, write_events: Happen, staff_client: Client
) -> None:
    broken = Reader("broken", source)
    broken.fault = fails(ValueError("of no use"))
    write_events(2)
    round_after_pauses(reader.ATTEMPTS)
    assert DeadLetter.objects.count() == 2

    assert staff_client.get("/readyz").json()["feeds"] == "not ok: broken"
    assert "of no use" in staff_client.get(reverse("admin:index")).content.decode()
    listed = staff_client.get(reverse("admin:events_feedcursor_changelist")).content.decode()
    assert "failing" in listed
    assert "subscriber=broken" in listed

    broken.fault = lambda _rows: None
    dead_letters.replay_all("broken", seconds=5)
    assert staff_client.get("/readyz").json()["feeds"] == "ok"


def test_the_newest_row_is_found_by_the_index(source: Source, write_events: Happen) -> None:
    write_events(3)
    with CaptureQueriesContext(connection) as asked:
        source.head()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index" in plan
    assert "Sort" not in plan


@pytest.mark.filterwarnings("error")
def test_a_task_is_sent_for_each_due_subscriber(
    source: Source, write_events: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        Task, "apply_async", lambda _task, args, *_others, **_options: sent.append(args)
    )
    Reader("due now", source)
    Reader("not due", source, every=timedelta(hours=1))
    write_events(1)
    reader.catch_up("not due")
    write_events(1)

    tasks.read_feeds.run()
    tasks.read_feeds.run()

    assert sent == [("due now",)]


def test_two_subscribers_cannot_share_a_name(source: Source) -> None:
    Reader("one", source)
    with pytest.raises(ValueError, match="one"):
        Reader("one", source)
