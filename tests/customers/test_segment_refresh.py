"""Refreshing segments: in short transactions, without undoing what changes meanwhile, and with a bounded number of events."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.events.models import MarketingEvent, WebhookEndpoint
from customers.models import Customer, Segment, SegmentMembership
from customers.segments import refresh, refresh_for
from customers.segments.membership import refresh as module
from customers.timeline import types
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

BERLIN = {"operator": "AND", "conditions": [{"field": "city", "operator": "=", "value": "Berlin"}]}


@pytest.fixture
def berliners() -> list[Customer]:
    return [make_customer(city="Berlin") for _number in range(5)]


@pytest.fixture
def segment() -> Segment:
    return Segment.objects.create(name="Berlin", slug="berlin", rules=BERLIN)


@pytest.fixture
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)


def entered() -> int:
    return MarketingEvent.objects.filter(type=types.SEGMENT_ENTERED).count()


@pytest.mark.usefixtures("_small_chunks")
def test_a_refresh_writes_in_chunks(segment: Segment, berliners: list[Customer]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        done = refresh(segment)

    inserts = [each for each in queries if "INSERT INTO customers_segmentmembership" in each["sql"]]
    assert len(inserts) == 3
    assert (done.added, done.size, segment.size) == (5, 5, 5)
    assert SegmentMembership.objects.count() == entered() == 5
    assert list(segment.sizes.values_list("size", flat=True)) == [5]


@pytest.mark.usefixtures("_small_chunks")
def test_a_refresh_removes_in_chunks(segment: Segment, berliners: list[Customer]) -> None:
    refresh(segment)
    Customer.objects.exclude(pk=berliners[0].pk).update(city="Paris")

    done = refresh(segment)

    assert (done.removed, done.size) == (4, 1)
    assert [each.customer_id for each in segment.memberships.all()] == [berliners[0].pk]


def test_a_refresh_does_not_undo_a_change_meanwhile(
    segment: Segment, berliners: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = module._differences

    def find_then_move(*args: Any) -> Any:
        found = find(*args)
        Customer.objects.filter(pk=berliners[0].pk).update(city="Paris")
        refresh_for(segment, [berliners[0].pk, berliners[1].pk])
        return found

    monkeypatch.setattr(module, "_differences", find_then_move)

    done = refresh(segment)

    assert {each.customer_id for each in segment.memberships.all()} == {
        each.pk for each in berliners[1:]
    }
    assert (done.size, entered()) == (4, 4)


def test_a_refresh_corrects_a_wrong_size(segment: Segment, berliners: list[Customer]) -> None:
    refresh(segment)
    Segment.objects.update(size=17)

    assert refresh(segment).size == 5


def test_many_first_members_are_no_events(
    segment: Segment, berliners: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ANNOUNCED", 4)

    assert refresh(segment).size == 5
    assert entered() == 0

    for _number in range(5):
        make_customer(city="Berlin")
    assert refresh(segment).size == 10
    assert entered() == 5


def test_a_webhook_gets_many_first_members(
    segment: Segment, berliners: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ANNOUNCED", 4)
    WebhookEndpoint.objects.create(
        name="shop", url="https://shop.example/hook", types=[types.SEGMENT_ENTERED]
    )

    refresh(segment)

    assert entered() == 5
