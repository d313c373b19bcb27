"""Counters follow the timeline: each interaction counts once, and a recount gives the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics import metrics
from analytics.metrics import COUNTED, Totals
from analytics.models import CampaignMetrics
from analytics.tasks import check_drift
from crm.events import feeds, reader
from customers.timeline import NewInteraction, record_interactions, types
from marketing.models import CampaignExecution, CampaignRun
from tests.factories.customers import make_customer
from tests.factories.marketing import make_execution, make_run

TYPES = [
    types.MESSAGE_SENT, types.MESSAGE_DELIVERED, types.MESSAGE_BOUNCED, types.MESSAGE_OPENED,
    types.MESSAGE_CLICKED, types.MESSAGE_CONVERTED, types.UNSUBSCRIBED,
]  # fmt: skip
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.get_default_timezone())

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def message() -> CampaignExecution:
    return make_execution(make_run(), make_customer())


def add_event(
    message: CampaignExecution, type: str, at: datetime = NOON, **properties: Any
) -> None:
    record_interactions(
        [
            NewInteraction(
                customer_id=message.customer_id,
                type=type,
                occurred_at=at,
                properties={"run": message.run_id, "channel": "email", **properties},
                execution_id=message.pk,
            )
        ]
    )


def counters() -> list[tuple[Any, ...]]:
    return list(
        CampaignMetrics.objects.order_by("run", "hour", "variant").values_list(
            "run", "hour", "variant", *COUNTED
        )
    )


def test_messages_count_once_and_every_open_and_click_counts(message: CampaignExecution) -> None:
    add_event(message, types.MESSAGE_SENT)
    add_event(message, types.MESSAGE_DELIVERED, first=True)
    add_event(message, types.MESSAGE_OPENED, first=True)
    add_event(message, types.MESSAGE_OPENED, first=False)
    add_event(message, types.MESSAGE_CLICKED, first=True, link="https://example.com/")
    add_event(message, types.MESSAGE_CONVERTED, first=True, revenue="12.30", order="A-1")
    add_event(message, types.MESSAGE_CONVERTED, first=False, revenue="7.70", order="A-2")

    assert reader.catch_up(metrics.SUBSCRIBER) == 7

    kept = CampaignMetrics.objects.get()
    assert (kept.sent, kept.delivered, kept.opened, kept.opens) == (1, 1, 1, 2)
    assert (kept.clicked, kept.clicks, kept.converted) == (1, 1, 1)
    assert kept.revenue == Decimal("20.00")


def test_a_late_interaction_is_added_to_its_own_hour(message: CampaignExecution) -> None:
    add_event(message, types.MESSAGE_OPENED, NOON + timedelta(minutes=59), first=True)
    add_event(message, types.MESSAGE_OPENED, NOON + timedelta(minutes=60), first=False)
    reader.catch_up(metrics.SUBSCRIBER)
    add_event(message, types.MESSAGE_OPENED, NOON, first=False)
    reader.catch_up(metrics.SUBSCRIBER)

    assert [row[1] for row in counters()] == [NOON, NOON + timedelta(hours=1)]
    assert list(CampaignMetrics.objects.order_by("hour").values_list("opens", flat=True)) == [2, 1]


def test_a_second_read_adds_nothing(message: CampaignExecution) -> None:
    add_event(message, types.MESSAGE_SENT)
    reader.catch_up(metrics.SUBSCRIBER)
    before = counters()

    assert reader.catch_up(metrics.SUBSCRIBER) == 0
    assert counters() == before


def test_an_interaction_without_a_run_counts_for_none(message: CampaignExecution) -> None:
    add_event(message, types.MESSAGE_SENT, run=0)
    add_event(message, types.MESSAGE_SENT, run="none at all")

    assert reader.catch_up(metrics.SUBSCRIBER) == 2
    assert counters() == []
    assert metrics.drift() == []


class TestConcurrentSessions:
    @pytest.fixture
    def other(self) -> Iterator[Other]:
        other = Other()
        yield other
        other.end()

    def test_a_second_reader_does_nothing(self, message: CampaignExecution, other: Other) -> None:
        reader.catch_up(metrics.SUBSCRIBER)
        add_event(message, types.MESSAGE_SENT)
        other.start(lambda: reader.catch_up(metrics.SUBSCRIBER))

        assert reader.catch_up(metrics.SUBSCRIBER) == 0
        assert other.is_busy()

        other.commit()
        assert reader.catch_up(metrics.SUBSCRIBER) == 0
        assert CampaignMetrics.objects.get().sent == 1

    def test_a_late_commit_is_not_skipped(self, message: CampaignExecution, other: Other) -> None:
        other.start(lambda: add_event(message, types.MESSAGE_SENT))
        add_event(message, types.MESSAGE_OPENED, first=True)
        reader.catch_up(metrics.SUBSCRIBER)

        other.commit()
        reader.catch_up(metrics.SUBSCRIBER)

        kept = CampaignMetrics.objects.get()
        assert (kept.sent, kept.opened) == (1, 1)

    def test_a_recount_during_concurrent_writes_is_exact(
        self, message: CampaignExecution, other: Other
    ) -> None:
        add_event(message, types.MESSAGE_SENT)
        reader.catch_up(metrics.SUBSCRIBER)
        somebody_else = make_execution(message.run, make_customer())
        other.start(lambda: add_event(message, types.MESSAGE_OPENED, first=True))
        add_event(somebody_else, types.MESSAGE_CLICKED, first=True)

        metrics.rebuild()
        other.commit()
        reader.catch_up(metrics.SUBSCRIBER)

        kept = CampaignMetrics.objects.get()
        assert (kept.sent, kept.opened, kept.clicked) == (1, 1, 1)


class Other:
    """Run another database session that commits on request."""

    def __init__(self) -> None:
        self._done, self._go_on = threading.Event(), threading.Event()
        self._session: threading.Thread | None = None

    def start(self, action: Any) -> None:
        def work() -> None:
            with transaction.atomic():
                action()
                self._done.set()
                self._go_on.wait(10)
            connection.close()

        self._session = threading.Thread(target=work)
        self._session.start()
        assert self._done.wait(10)

    def commit(self) -> None:
        self._go_on.set()
        assert self._session
        self._session.join(10)

    def is_busy(self) -> bool:
        return bool(self._session and self._session.is_alive())

    def end(self) -> None:
        if self._session:
            self.commit()


HAPPENING = st.tuples(
    st.sampled_from(TYPES), st.integers(0, 1), st.integers(0, 3), st.booleans(), st.integers(0, 999),
    st.sampled_from(["", "A", "B"]),
)  # fmt: skip
FOLD = st.just("fold")
BATCHES = st.integers(1, 4)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(HAPPENING | FOLD, max_size=14), batch=BATCHES)
def test_reading_in_any_batches_equals_a_recount(
    message: CampaignExecution, monkeypatch: pytest.MonkeyPatch, steps: list[Any], batch: int
) -> None:
    counting = feeds._subscribers[metrics.SUBSCRIBER]
    monkeypatch.setitem(feeds._subscribers, metrics.SUBSCRIBER, replace(counting, limit=batch))
    runs = [message.run, _second_run(message)]
    for step in steps:
        if step == "fold":
            reader.catch_up(metrics.SUBSCRIBER)
            continue
        kind, run, hours, first, cents, variant = step
        add_event(
            message, kind, NOON + timedelta(hours=hours), run=runs[run].pk, first=first,
            revenue=str(Decimal(cents) / 100), **({"variant": variant} if variant else {}),
        )  # fmt: skip
    reader.catch_up(metrics.SUBSCRIBER)
    folded = counters()

    assert metrics.drift() == []
    metrics.rebuild()
    assert counters() == folded


def _second_run(message: CampaignExecution) -> CampaignRun:
    return CampaignRun.objects.filter(number=2).first() or make_run(
        message.run.campaign, number=2, state=CampaignRun.State.FINISHED
    )


def test_a_wrong_counter_is_reported_and_recounted(
    message: CampaignExecution, caplog: pytest.LogCaptureFixture
) -> None:
    add_event(message, types.MESSAGE_SENT)
    reader.catch_up(metrics.SUBSCRIBER)
    CampaignMetrics.objects.update(sent=5)

    [found] = metrics.drift()
    check_drift()

    assert (found.counter, found.kept, found.counted) == ("sent", 5, 1)
    assert "sent is kept as 5, the timeline says 1" in caplog.text
    metrics.rebuild(message.run)
    assert metrics.drift() == []
    assert CampaignMetrics.objects.get().sent == 1


def test_revenue_of_variants_sums_to_revenue_of_the_run(message: CampaignExecution) -> None:
    for variant, number in (("A", 2), ("B", 1)):
        for _ in range(number):
            add_event(message, types.MESSAGE_SENT, variant=variant)
    add_event(message, types.MESSAGE_CLICKED, variant="B")
    add_event(message, types.MESSAGE_SENT)
    reader.catch_up(metrics.SUBSCRIBER)

    runs = CampaignRun.objects.all()
    found = metrics.totals_by_variant(runs)
    assert {name: (each.sent, each.clicked) for name, each in found.items()} == {
        "": (1, 0),
        "A": (2, 0),
        "B": (1, 1),
    }
    assert metrics.totals(runs).sent == 4
    assert metrics.drift() == []


def test_a_recount_of_one_run_spares_the_others(message: CampaignExecution) -> None:
    other = _second_run(message)
    add_event(message, types.MESSAGE_SENT)
    add_event(message, types.MESSAGE_SENT, run=other.pk)
    reader.catch_up(metrics.SUBSCRIBER)
    CampaignMetrics.objects.update(sent=5)

    metrics.rebuild(message.run)

    assert dict(CampaignMetrics.objects.values_list("run", "sent")) == {
        message.run_id: 1,
        other.pk: 5,
    }


class TestRates:
    def test_rates_are_shares_of_delivered(self) -> None:
        totals = self.of(sent=100, delivered=80, bounced=5, opened=40, clicked=10, converted=4)

        assert totals.delivery_rate == Decimal("0.8")
        assert totals.open_rate == Decimal("0.5")
        assert totals.click_rate == Decimal("0.125")
        assert totals.click_to_open_rate == Decimal("0.25")
        assert totals.conversion_rate == Decimal("0.05")

    def test_rates_without_delivery_reports_exclude_bounces(self) -> None:
        totals = self.of(sent=100, bounced=20, opened=40)

        assert totals.arrived == 80
        assert totals.open_rate == Decimal("0.5")

    def test_rates_are_unknown_without_sends(self) -> None:
        totals = self.of()

        assert totals == Totals()
        assert totals.open_rate is None

    def test_rates_of_two_runs_use_the_receipts_of_each(self) -> None:
        run = make_run(state="finished")
        CampaignMetrics.objects.create(run=run, hour=NOON, sent=10, delivered=8)
        silent = make_run(run.campaign, number=2)
        CampaignMetrics.objects.create(run=silent, hour=NOON, sent=10)

        assert metrics.totals(run.campaign.runs.all()).arrived == 18
        assert metrics.totals_by_campaign(run.campaign.runs.all())[run.campaign_id].arrived == 18

    def of(self, **counters: int) -> Totals:
        run = make_run()
        CampaignMetrics.objects.create(run=run, hour=NOON, **counters)
        return metrics.totals(run.campaign.runs.all())
