"""The customer list of the admin searches names, addresses and ids, and filters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.api import ids
from customers import consent
from customers.identity import merge, save_identities
from customers.models import Customer, Segment
from customers.segments.membership import members
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

LIST = reverse("admin:customers_customer_changelist")


def listed(client: Client, **query: Any) -> set[Customer]:
    response = client.get(LIST, query)
    assert response.status_code == 200, response
    return set(response.context["cl"].result_list)


@pytest.fixture
def ada() -> Customer:
    make_customer(first_name="Bob", phone="+4989999999")
    return make_customer(
        external_id="shop-17",
        email="Ada.Lovelace@example.com",
        first_name="Ada",
        last_name="Lovelace",
        phone="+4930123456",
    )


@pytest.mark.parametrize(
    "typed",
    [
        *("ada lovelace", "Lovelace", "love ad", "ada.lovelace@example.com", "shop-17"),
        *("+4930123456", "+49 30 12", "4930123456", "0049 (30) 123-456"),
    ],
)
def test_search_finds_by_name_email_phone_and_id(
    staff_client: Client, ada: Customer, typed: str
) -> None:
    assert listed(staff_client, q=typed) == {ada}


def test_search_finds_by_public_id(staff_client: Client, ada: Customer) -> None:
    assert listed(staff_client, q=ids.encode("cus", ada.pk)) == {ada}


def test_search_finds_by_an_address_from_before_a_merge(
    staff_client: Client, ada: Customer
) -> None:
    other = make_customer(external_id="old-9", email="countess@example.com")
    save_identities([ada.pk, other.pk])
    merge(ada.pk, other.pk)

    assert listed(staff_client, q="Countess@example.com") == {ada}
    assert listed(staff_client, q="old-9") == {ada}


@pytest.mark.parametrize("typed", ["nobody", "123", "%", "'", "cus_zzzzzzzzzzzzzzzzzzzzzzzz"])
def test_search_without_matches_returns_an_empty_list(
    staff_client: Client, ada: Customer, typed: str
) -> None:
    assert not listed(staff_client, q=typed)


def test_filters_match_place_tag_spend_and_state(staff_client: Client) -> None:
    wanted = make_customer(
        country="DE", city="Berlin", tags=["vip", "tea"], lifecycle_status="active"
    )
    Customer.objects.filter(pk=wanted.pk).update(total_spend=500, order_count=3)
    make_customer(country="FR", city="Paris", tags=["vipers"])

    for query in (
        {"country": "DE"},
        {"city": "berlin"},
        {"tag": "vip"},
        {"total_spend_from": "100"},
        {"order_count_from": "2", "order_count_to": "3"},
        {"lifecycle_status__exact": "active"},
        {"country": "DE", "tag": "tea", "city": " Berlin "},
    ):
        assert listed(staff_client, **query) == {wanted}, query


@pytest.mark.parametrize("field", ["last_order_at", "last_visit_at", "registered_at"])
def test_a_date_range_includes_both_ends(staff_client: Client, field: str) -> None:
    wanted, other = make_customer(), make_customer()
    Customer.objects.filter(pk=wanted.pk).update(**{field: datetime(2026, 1, 31, 20, tzinfo=UTC)})
    Customer.objects.filter(pk=other.pk).update(**{field: datetime(2026, 2, 2, tzinfo=UTC)})

    found = listed(staff_client, **{f"{field}_from": "2026-01-31", f"{field}_to": "2026-01-31"})
    assert found == {wanted}
    assert listed(staff_client, **{f"{field}_from": "what"}) == {wanted, other}


def test_the_filter_on_a_segment_shows_its_members(staff_client: Client) -> None:
    inside, _outside = make_customer(), make_customer()
    segment = Segment.objects.create(name="List", slug="list", kind="static")
    members.add(segment, [inside.pk])

    assert listed(staff_client, segment="list") == {inside}


def test_the_consent_filter_tells_why_a_customer_is_unreachable(staff_client: Client) -> None:
    reached, left, suppressed = (make_customer() for _each in range(3))
    nowhere = make_customer(external_id="x", email=None)
    consent.opt_out(left.pk, "email", "test")
    consent.suppress("email", str(suppressed.email).upper(), "manual", "test")

    assert listed(staff_client, consent="email:reachable") == {reached}
    assert listed(staff_client, consent="email:unwanted") == {left}
    assert listed(staff_client, consent="email:suppressed") == {suppressed}
    assert listed(staff_client, consent="email:no_address") == {nowhere}


def test_a_filter_that_does_not_exist_changes_nothing(staff_client: Client) -> None:
    customer = make_customer()

    assert listed(staff_client, consent="pigeon:reachable") == {customer}
