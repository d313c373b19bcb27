"""An event commits with its change, and each subscriber handles it once, in commit order."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from django.db import connection, transaction

from crm.events import outbox
from crm.events.feeds import Subscriber
from crm.events.models import MarketingEvent
from crm.events.outbox import NotInTransaction, emit
from crm.events.reader import drain

TYPE = "test.happened"


class Reader:
    """A subscriber that remembers its events, and fails on request."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.fails = False
        self.subscriber = Subscriber(
            "tests.reader",
            outbox.SOURCE,
            lambda batch: self.handle(batch.rows()),
            frozenset({TYPE}),
        )

    def handle(self, events: Sequence[MarketingEvent]) -> None:
        if self.fails:
            raise RuntimeError
        self.seen += [event.data["n"] for event in events]

    def read(self) -> int:
        return drain(self.subscriber).handled


@pytest.fixture
def reader() -> Reader:
    return Reader()


def emit_event(number: int) -> None:
    with transaction.atomic():
        emit(TYPE, data={"n": number})


@pytest.mark.django_db(transaction=True)
class TestAcrossTransactions:
    @pytest.fixture
    def slow(self) -> Iterator[threading.Event]:
        """Open another session that has written event 1 and commits on request."""
        written, commit = threading.Event(), threading.Event()

        def write() -> None:
            with transaction.atomic():
                emit(TYPE, data={"n": 1})
                written.set()
                commit.wait(10)
            connection.close()

        session = threading.Thread(target=write)
        session.start()
        written.wait(10)
        self.session = session
        yield commit
        commit.set()
        session.join(10)

    def test_an_event_outside_a_transaction_is_refused(self) -> None:
        with pytest.raises(NotInTransaction):
            emit(TYPE)

    def test_an_event_is_rolled_back_with_its_change(self, reader: Reader) -> None:
        with transaction.atomic():
            emit(TYPE, data={"n": 1})
            transaction.set_rollback(True)
        assert reader.read() == 0

    def test_each_event_is_handled_once_and_in_order(self, reader: Reader) -> None:
        for number in range(5):
            emit_event(number)
        assert (reader.read(), reader.read()) == (5, 0)
        assert reader.seen == list(range(5))

    def test_a_late_commit_is_not_lost(self, reader: Reader, slow: threading.Event) -> None:
        emit_event(2)
        reader.read()
        slow.set()
        self.session.join(10)
        reader.read()
        assert reader.seen == [1, 2]

    def test_a_failed_batch_is_retried(
        self, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        emit_event(1)
        reader.fails = True
        assert reader.read() == 0
        reader.fails = False
        assert reader.read() == 1

    def test_other_types_are_skipped(self, reader: Reader) -> None:
        with transaction.atomic():
            emit("test.other")
        assert reader.read() == 0

    def test_long_queues_are_read_in_batches(
        self, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reader.subscriber = replace(reader.subscriber, limit=2)
        for number in range(5):
            emit_event(number)
        assert reader.read() == 5
        assert reader.seen == list(range(5))
