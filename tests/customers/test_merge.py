"""A merge moves all data to the survivor, and can be undone exactly."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, connections
from django.utils import timezone

from crm.events.models import MarketingEvent
from customers import consent, customer_totals
from customers.identity import NotMerged, find_one, merge, undo
from customers.ingest import Outcome, clean_customer, upsert_customers
from customers.models import (
    Customer,
    CustomerInterest,
    LikelyDuplicate,
    Merge,
    Segment,
    SegmentMembership,
)
from customers.segments.membership import members
from customers.timeline import NewInteraction, record_interactions, types
from customers.tracking_api import Call, CallType, keys, receive_calls
from marketing.models import CampaignExecution
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_execution, make_run

NOT_COMPARED = {"customers_merge", "events_marketingevent"}


def known(**fields: Any) -> Customer:
    """Return an ingested customer, with identities."""
    result = upsert_customers([clean_customer(fields)], evidence="test")[0]
    return Customer.objects.get(pk=result.pk)


@pytest.fixture
def ada(db: None) -> Customer:
    return known(
        external_id="ada",
        email="ada@example.com",
        first_name="Ada",
        tags="vip",
        attributes={"plan": "pro", "size": "M"},
        registered_at="2024-05-01",
    )


@pytest.fixture
def ada2(db: None) -> Customer:
    return known(
        external_id="ada2",
        email="ada.lovelace@example.com",
        last_name="Lovelace",
        phone="+49301234567",
        tags="vip, new",
        attributes={"plan": "free", "shoes": 38},
        registered_at="2023-05-01",
        total_spend="12.30",
    )


def everything() -> dict[str, list[Any]]:
    """Return all rows of the project's apps by table, without update times of customers and segments."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            if table.split("_")[0] not in {"customers", "marketing"} or table in NOT_COMPARED:
                continue
            cursor.execute(f"SELECT (to_jsonb(t) - 'updated_at')::text FROM {table} t ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


def add_history(customer: Customer) -> None:
    make_order(customer, 20)
    record_interactions([NewInteraction(customer.pk, "Signed Up", timezone.now())])
    customer_totals.recompute([customer.pk])
    consent.opt_out(customer.pk, "email", "test")


def test_empty_fields_are_filled_and_lists_are_combined(ada: Customer, ada2: Customer) -> None:
    merge(ada.pk, ada2.pk)

    ada.refresh_from_db()
    assert not Customer.objects.filter(pk=ada2.pk).exists()
    assert (ada.name, ada.email, ada.phone) == ("Ada Lovelace", "ada@example.com", "+49301234567")
    assert ada.tags == ["vip", "new"]
    assert ada.attributes == {"plan": "pro", "size": "M", "shoes": 38}
    assert ada.registered_at == datetime(2023, 5, 1, tzinfo=UTC)
    assert ada.total_spend == Decimal("12.30")


def test_chosen_values_are_the_duplicates(ada: Customer, ada2: Customer) -> None:
    merge(ada.pk, ada2.pk, chosen=["email", "last_name"])

    ada.refresh_from_db()
    assert (ada.email, ada.external_id) == ("ada.lovelace@example.com", "ada")


def test_a_computed_field_cannot_be_chosen(ada: Customer, ada2: Customer) -> None:
    with pytest.raises(NotMerged):
        merge(ada.pk, ada2.pk, chosen=["total_spend"])


def test_everything_moves_and_behaviour_follows(ada: Customer, ada2: Customer) -> None:
    add_history(ada)
    add_history(ada2)
    execution = make_execution(make_run(), ada2)

    merge(ada.pk, ada2.pk)

    ada.refresh_from_db()
    assert (ada.orders.count(), ada.order_count, ada.total_spend) == (2, 2, Decimal("52.30"))
    assert ada.interactions.count() == 2
    assert ada.consents.count() == 2
    assert ada.opted_out_channels == ["email"]
    assert set(ada.identities.values_list("value", flat=True)) == {
        *("ada", "ada2", "ada@example.com", "ada.lovelace@example.com", "+49301234567")
    }
    execution.refresh_from_db()
    assert execution.customer == ada


def test_the_newest_decision_of_both_wins(ada: Customer, ada2: Customer) -> None:
    consent.opt_out(ada.pk, "email", "test")
    consent.opt_in(ada2.pk, "email", "test")

    merge(ada.pk, ada2.pk)

    ada.refresh_from_db()
    assert ada.opted_out_channels == []


def test_a_merge_emits_an_event(ada: Customer, ada2: Customer) -> None:
    MarketingEvent.objects.all().delete()

    merge(ada.pk, ada2.pk)

    told = dict(MarketingEvent.objects.values_list("type", "data"))
    assert told[types.CUSTOMERS_MERGED] == {"survivor": ada.pk, "duplicate": ada2.pk}
    assert told[types.CUSTOMERS_CHANGED] == {"created": [], "updated": [ada.pk]}


def test_the_sent_message_of_a_batch_survives(ada: Customer, ada2: Customer) -> None:
    run = make_run()
    make_execution(run, ada)
    sent = make_execution(run, ada2, state="sent", sent_at=timezone.now())

    merge(ada.pk, ada2.pk)

    assert CampaignExecution.objects.get() == sent
    assert CampaignExecution.objects.get().customer == ada


def test_a_merge_waits_for_a_message_in_flight(ada: Customer, ada2: Customer) -> None:
    run = make_run()
    for customer in (ada, ada2):
        make_execution(run, customer, state="sending", lease="00000000-0000-0000-0000-000000000001")

    with pytest.raises(NotMerged, match="being sent"):
        merge(ada.pk, ada2.pk)

    assert Customer.objects.count() == 2


def test_a_segment_counts_them_once(ada: Customer, ada2: Customer) -> None:
    segment = Segment.objects.create(name="List", slug="list", kind="static")
    members.add(segment, [ada.pk, ada2.pk])

    done = merge(ada.pk, ada2.pk)

    segment.refresh_from_db()
    assert (segment.size, SegmentMembership.objects.count()) == (1, 1)
    undo(done.pk)
    segment.refresh_from_db()
    assert (segment.size, SegmentMembership.objects.count()) == (2, 2)


def test_an_undone_merge_leaves_no_trace(ada: Customer, ada2: Customer) -> None:
    add_history(ada)
    add_history(ada2)
    segment = Segment.objects.create(name="List", slug="list", kind="static")
    members.add(segment, [ada.pk, ada2.pk])
    run = make_run()
    make_execution(run, ada)
    make_execution(run, ada2, state="sent")
    make_execution(make_run(), ada2, revenue="12.34")
    for customer in (ada, ada2):
        CustomerInterest.objects.create(customer=customer, category="Tea", score=0.1)
    LikelyDuplicate.objects.create(customer=ada, other=ada2, reason="email")
    odd = {"exact": 0.1, "big": 12345678901234567890, "text": "ümläut \U0001f600"}
    Customer.objects.filter(pk=ada2.pk).update(attributes=odd)
    before = everything()

    done = merge(ada.pk, ada2.pk, chosen=["email", "external_id"])
    assert everything() != before
    undo(done.pk)

    assert everything() == before


def test_rows_since_the_merge_stay_with_the_survivor(ada: Customer, ada2: Customer) -> None:
    done = merge(ada.pk, ada2.pk)
    make_order(ada, 7)
    Customer.objects.filter(pk=ada.pk).update(last_name="King")

    undo(done.pk)

    ada.refresh_from_db()
    assert (ada.order_count, ada.last_name) == (1, "King")
    assert Customer.objects.get(pk=ada2.pk).last_name == "Lovelace"


def test_a_merge_is_undone_once(ada: Customer, ada2: Customer) -> None:
    done = merge(ada.pk, ada2.pk)
    undo(done.pk)

    with pytest.raises(NotMerged, match="already"):
        undo(done.pk)


def test_an_undo_is_refused_when_the_email_is_in_use(ada: Customer, ada2: Customer) -> None:
    done = merge(ada.pk, ada2.pk)
    make_customer(email="ada.lovelace@example.com")

    with pytest.raises(NotMerged, match="another customer"):
        undo(done.pk)

    assert Merge.objects.get().undone_at is None


def test_old_ids_lead_to_the_survivor(ada: Customer, ada2: Customer) -> None:
    from crm.api import ids

    merge(ada.pk, ada2.pk)

    assert find_one("ada2") == find_one(ids.encode("cus", ada2.pk)) == find_one("ada") == ada
    assert find_one("nobody") is None


def test_rows_under_old_ids_are_the_survivors(ada: Customer, ada2: Customer) -> None:
    merge(ada.pk, ada2.pk)

    results = upsert_customers(
        [
            {"external_id": "ada2", "city": "Bonn"},
            {"email": "ada.lovelace@example.com", "region": "NRW"},
            {"external_id": "ada2", "email": "ada.lovelace@example.com", "country": "DE"},
        ],
        evidence="test",
    )

    assert {(each.outcome, each.pk) for each in results} == {(Outcome.UPDATED, ada.pk)}
    ada.refresh_from_db()
    assert (ada.city, ada.region, ada.country) == ("Bonn", "NRW", "DE")
    assert ada.email == "ada@example.com"


def test_a_former_address_makes_no_conflict(ada: Customer) -> None:
    upsert_customers([{"external_id": "ada", "email": "new@example.com"}], evidence="test")

    result = upsert_customers(
        [{"external_id": "bob", "email": "ada@example.com"}], evidence="test"
    )[0]

    assert result.outcome is Outcome.CREATED


def test_a_phone_alone_matches_its_only_owner(ada2: Customer) -> None:
    rows = [clean_customer({"phone": "+49 30 1234567", "city": "Bonn"})]

    assert upsert_customers(rows, evidence="test")[0].pk == ada2.pk


def test_a_phone_of_two_finds_neither(ada2: Customer) -> None:
    known(external_id="wife", phone="+49301234567")

    result = upsert_customers([clean_customer({"phone": "+49301234567"})], evidence="test")[0]

    assert result.outcome is Outcome.FAILED


def test_a_chain_of_merges_is_undone_backwards(ada: Customer, ada2: Customer) -> None:
    last = known(external_id="ada3", email="ada3@example.com")
    for customer in (ada, ada2, last):
        make_order(customer, 5)
        customer_totals.recompute([customer.pk])
    before = everything()

    first = merge(ada2.pk, ada.pk)
    second = merge(last.pk, ada2.pk)

    assert find_one("ada") == last
    last.refresh_from_db()
    assert last.order_count == 3
    with pytest.raises(NotMerged, match="later merge"):
        undo(first.pk)
    undo(second.pk)
    assert find_one("ada") == ada2
    undo(first.pk)
    assert everything() == before


def test_an_event_during_a_merge_goes_to_the_survivor(ada: Customer, ada2: Customer) -> None:
    merge(ada.pk, ada2.pk)

    record_interactions([NewInteraction(ada2.pk, "Late", timezone.now())])

    assert ada.interactions.get().type == "Late"


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Start all calls together and return their results or exceptions."""

    def run(job: Callable[[], Any]) -> Any:
        try:
            return job()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.mark.django_db(transaction=True)
def test_one_of_several_concurrent_merges_succeeds() -> None:
    one, other = known(email="one@example.com"), known(email="other@example.com")
    make_order(one), make_order(other)

    results = at_once(
        lambda: merge(one.pk, other.pk),
        lambda: merge(other.pk, one.pk),
        lambda: merge(one.pk, other.pk),
    )

    assert sorted(type(each).__name__ for each in results) == ["Merge", "NotMerged", "NotMerged"]
    assert Customer.objects.get().orders.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_chain_merged_concurrently_ends_in_one_customer() -> None:
    people = [known(email=f"{name}@example.com") for name in "abc"]
    for customer in people:
        make_order(customer)
    a, b, c = (customer.pk for customer in people)

    at_once(lambda: merge(b, a), lambda: merge(c, b))

    assert sum(each.orders.count() for each in Customer.objects.all()) == 3
    assert Customer.objects.count() + Merge.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_events_during_a_merge_are_stored() -> None:
    one, other = known(external_id="one"), known(external_id="other")
    key, _text = keys.issue_key("shop")

    def send(number: int) -> None:
        receive_calls(
            [
                Call(
                    CallType.TRACK,
                    timezone.now(),
                    user_id="other",
                    message_id=f"m{number}-{each}",
                    name="E",
                )
                for each in range(5)
            ],
            key.pk,
        )

    results = at_once(
        *(lambda number=number: send(number) for number in range(6)),
        lambda: merge(one.pk, other.pk),
    )

    assert not [each for each in results if isinstance(each, Exception)]
    assert one.interactions.count() == 30
