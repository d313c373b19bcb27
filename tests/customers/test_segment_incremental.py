"""Incremental membership: events and time move the right customers exactly once."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from analytics.people import profiles
from crm.events import reader
from crm.events.models import MarketingEvent
from customers.identity import emit_changed
from customers.ingest import upsert_customers
from customers.models import Customer, Segment, SegmentMembership
from customers.segments.language.rules import parse
from customers.segments.membership import dependencies, incremental, refresh
from customers.timeline import NewInteraction, record_interactions, types
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


def make_segment(slug: str, *conditions: dict[str, Any], **fields: Any) -> Segment:
    rules = {"operator": "AND", "conditions": list(conditions)}
    return Segment.objects.create(name=slug, slug=slug, rules=rules, **fields)


def catch_up() -> None:
    reader.drain_all()


def members(segment: Segment) -> set[Customer]:
    return set(Customer.objects.filter(memberships__segment=segment))


def moves(slug: str) -> Counter[tuple[str, int | None]]:
    happened = MarketingEvent.objects.filter(subject=slug, type__startswith="segment.")
    return Counter(happened.values_list("type", "customer_id"))


SPENT = {"field": "total_spend", "operator": ">", "value": 100}
BERLIN = {"field": "city", "operator": "=", "value": "Berlin"}
VIEWED = {"event": "page_viewed", "operator": ">=", "value": 2}


def test_a_changed_customer_enters_and_leaves_once() -> None:
    segment = make_segment("berlin", BERLIN)
    (result,) = upsert_customers([{"external_id": "ada", "city": "Berlin"}], evidence="test")
    catch_up()
    catch_up()
    assert [each.external_id for each in members(segment)] == ["ada"]

    upsert_customers([{"external_id": "ada", "city": "Paris"}], evidence="test")
    catch_up()

    assert members(segment) == set()
    assert moves("berlin") == {
        (types.SEGMENT_ENTERED, result.pk): 1,
        (types.SEGMENT_EXITED, result.pk): 1,
    }
    segment.refresh_from_db()
    assert segment.size == 0


def test_an_api_order_moves_its_customer(api: APIClient) -> None:
    ada = make_customer(external_id="ada")
    rich, buyer = (
        make_segment("rich", SPENT),
        make_segment("buyer", {"event": "order_placed", "operator": ">", "value": 0}),
    )

    api.post(
        "/api/orders", {"id": "1", "customer_id": "ada", "amount": "101", "items": ["Lamp"]}, "json"
    )
    catch_up()

    assert members(rich) == members(buyer) == {ada}


def test_a_refund_moves_the_customer_out_again(api: APIClient) -> None:
    ada = make_customer(external_id="ada")
    rich = make_segment("rich", SPENT)
    api.post("/api/orders", {"id": "1", "customer_id": "ada", "amount": "101"}, "json")
    catch_up()
    assert members(rich) == {ada}

    api.post("/api/orders", {"id": "r", "refund_of": "1", "amount": "-2"}, "json")
    catch_up()

    assert members(rich) == set()


def test_a_timeline_event_moves_its_customer() -> None:
    ada = make_customer()
    keen = make_segment("keen", VIEWED)
    idle = make_segment("idle", {"event": "page_viewed", "operator": "=", "value": 0})
    refresh.refresh_all()
    assert members(idle) == {ada}

    record_interactions([NewInteraction(ada.pk, "page_viewed", timezone.now())] * 2)
    catch_up()

    assert (members(keen), members(idle)) == ({ada}, set())


def test_a_segment_follows_a_segment_in_its_rules() -> None:
    in_berlin = {"field": "segment", "operator": "contains", "value": "berlin"}
    make_segment("berlin", BERLIN)
    follower = make_segment("follower", in_berlin, SPENT)
    outsiders = make_segment(
        "outsiders", {**in_berlin, "operator": "contains_none", "value": ["berlin"]}
    )
    ada = make_customer(city="Berlin", total_spend=200)

    with transaction.atomic():
        emit_changed([ada.pk], [])
    catch_up()

    assert (members(follower), members(outsiders)) == ({ada}, set())


def test_only_dependent_segments_are_refreshed(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(
        incremental, "refresh_for", lambda segment, people, now=None: looked.append(segment.slug)
    )
    make_segment("city", BERLIN)
    make_segment("spend", SPENT)
    make_segment("views", VIEWED)
    ada = make_customer()

    record_interactions([NewInteraction(ada.pk, "page_viewed", timezone.now())])
    reader.catch_up("refresh segments after events")
    assert looked == ["views"]

    profiles.refresh([ada.pk])  # else it would change below: one more reason to look
    catch_up()
    looked.clear()
    with transaction.atomic():
        emit_changed([], [ada.pk])
    catch_up()
    assert looked == ["city", "spend"]


@pytest.mark.parametrize(
    ("condition", "topics"),
    [
        (BERLIN, {dependencies.CUSTOMER}),
        (SPENT, {dependencies.CUSTOMER, dependencies.ORDERS}),
        (VIEWED, {"event:page_viewed"}),
        ({"field": "purchased_products", "operator": "is_set"}, {dependencies.ORDERS}),
        ({"field": "churn_risk", "operator": ">", "value": 0.5}, {dependencies.CUSTOMER}),
        ({"field": "segment", "operator": "contains_any", "value": ["a", "b"]}, {"segment:a", "segment:b"}),
        ({"field": "segment", "operator": "is_set"}, {"segment:"}),
    ],
)  # fmt: skip
def test_a_rule_knows_its_dependencies(condition: dict[str, Any], topics: set[str]) -> None:
    rules = {"operator": "OR", "conditions": [{"operator": "AND", "conditions": [condition]}]}

    assert dependencies.topics(parse(rules)) == topics | {dependencies.ANYTHING}


def test_customers_enter_and_leave_as_time_passes() -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    ada = make_customer(
        last_order_at=start - timedelta(days=29), date_of_birth=start.date().replace(1990)
    )
    fresh = make_segment(
        "fresh", {"field": "last_order_at", "operator": "in_last_days", "value": 30}
    )
    lapsed = make_segment(
        "lapsed", {"field": "last_order_at", "operator": "inactive_days", "value": 30}
    )
    birthday = make_segment(
        "birthday", {"field": "date_of_birth", "operator": "anniversary_in_days", "value": 2}
    )
    for segment in (fresh, lapsed, birthday):
        refresh.refresh(segment, now=start - timedelta(days=4))
    assert (members(fresh), members(lapsed), members(birthday)) == ({ada}, set(), set())

    incremental.time_passed(start)
    assert (members(fresh), members(lapsed), members(birthday)) == ({ada}, set(), {ada})

    incremental.time_passed(start + timedelta(days=2))
    assert (members(fresh), members(lapsed), members(birthday)) == (set(), {ada}, set())


def test_two_workers_apply_each_change_once() -> None:
    customers = [make_customer(city="Paris", total_spend=0) for _ in range(120)]
    for number in range(20):
        spent = {**SPENT, "value": number}
        make_segment(
            f"s{number}",
            spent,
            *([BERLIN] if number % 2 else []),
            *([VIEWED] if number % 10 == 4 else []),
        )
    for number, customer in enumerate(customers):
        change = {"email": customer.email, "city": "Berlin", "opening_spend": number % 30}
        upsert_customers([change], evidence="test")

    workers = [threading.Thread(target=_work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    spends = Counter(Customer.objects.values_list("total_spend", flat=True))
    for number in range(20):
        segment = Segment.objects.get(slug=f"s{number}")
        expected = (
            0 if number % 10 == 4 else sum(spends[spend] for spend in spends if spend > number)
        )
        assert SegmentMembership.objects.filter(segment=segment).count() == segment.size == expected
        assert set(moves(segment.slug).values()) <= {1}
        assert len(moves(segment.slug)) == expected


def _work() -> None:
    try:
        for _ in range(3):
            catch_up()
    finally:
        connection.close()
