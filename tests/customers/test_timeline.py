"""A customer's timeline: all sources in one order, filtered, and read page by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.test import APIClient

from customers import consent
from customers.models import Consent, Customer, CustomerProfile, Interaction, Segment
from customers.segments.membership import members
from customers.timeline import KINDS, read_page
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign

pytestmark = pytest.mark.django_db

START = datetime(2026, 1, 1, tzinfo=UTC)


def happened(customer: Customer, type: str, day: int = 0, **properties: Any) -> Interaction:
    return Interaction.objects.create(
        customer=customer,
        type=type,
        occurred_at=START + timedelta(days=day),
        properties=properties,
    )


def titles(customer: Customer, **asked: Any) -> list[str]:
    return [entry.title for entry in read_page(customer, **asked).entries]


def make_history() -> Customer:
    customer = make_customer()
    happened(customer, "order_placed", 1, amount="12")
    happened(customer, "message_opened", 2)
    happened(customer, "Quiz Finished", 3)
    consent.opt_out(customer.pk, "email", "a letter")
    members.add(Segment.objects.create(name="Fair", slug="fair", kind="static"), [customer.pk])
    return customer


def test_all_sources_are_in_one_order() -> None:
    assert titles(make_history()) == [
        "Entered the segment “Fair”",
        "E-mail: Opted out",
        "Quiz finished",
        "Opened a message",
        "Placed an order",
    ]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("orders", ["Placed an order"]),
        ("messages", ["Opened a message"]),
        ("consent", ["E-mail: Opted out"]),
        ("segments", ["Entered the segment “Fair”"]),
        ("other", ["Quiz finished"]),
        ("site", []),
    ],
)
def test_the_timeline_is_filtered_by_kind(kind: str, found: list[str]) -> None:
    assert titles(make_history(), kind=kind) == found


def test_the_timeline_is_read_up_to_a_time() -> None:
    until = START + timedelta(days=2, hours=1)
    assert titles(make_history(), until=until) == ["Opened a message", "Placed an order"]


def test_entries_of_messages_name_their_campaign() -> None:
    customer = make_customer()
    spring = make_campaign(name="Spring sale")
    for campaign_id in (spring.pk, None):
        Interaction.objects.create(
            customer=customer,
            type="message_opened",
            occurred_at=START,
            properties={"channel": "email"},
            campaign_id=campaign_id,
        )
    assert sorted(entry.detail for entry in read_page(customer).entries) == [
        "Spring sale · email",
        "email",
    ]


class TestPages(TestCase):
    @settings(max_examples=30)
    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=25), st.integers(1, 7))
    def test_pages_give_every_entry_once_and_in_order(
        self, entries: list[tuple[bool, int]], length: int
    ) -> None:
        customer = make_customer()
        for is_consent, day in entries:
            if is_consent:
                Consent.objects.create(
                    customer=customer,
                    channel="sms",
                    decision="opted_in",
                    decided_at=START + timedelta(days=day),
                )
            else:
                happened(customer, "page_viewed", day)
        read, before = [], ""
        while True:
            page = read_page(customer, before=before, length=length)
            read += page.entries
            if not page.older:
                break
            assert len(page.entries) == length
            before = page.older
        assert read == read_page(customer, length=100).entries
        assert len(read) == len(entries)


def test_a_long_timeline_is_read_by_its_index() -> None:
    customer = make_customer()
    Interaction.objects.bulk_create(
        Interaction(customer=customer, type="page_viewed", occurred_at=START + timedelta(minutes=n))
        for n in range(10_000)
    )
    before = read_page(customer, until=START + timedelta(minutes=100)).older

    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = read_page(customer, before=before)
    assert len(queries) == 3
    assert len(page.entries) == 50


def test_the_page_shows_the_newest_and_asks_for_older(staff_client: Client) -> None:
    customer = make_customer()
    for day in range(60):
        happened(customer, "page_viewed", day, title=f"Page {day}")
    page = staff_client.get(reverse("admin:customers_customer_change", args=[customer.pk]))
    assert "Page 59" in page.content.decode()
    assert "Page 9<" not in page.content.decode()

    older = staff_client.get(page.context["older_url"]).content.decode()
    assert "Page 9<" in older
    assert "Page 59" not in older


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "nonsense"},
        {"day": "nonsense"},
        *(
            {"before": text}
            for text in ("x", "~~", "2026-99-01~0~1", f"{START.isoformat()}~9~{9**40}")
        ),
    ],
)
def test_invalid_parameters_get_a_page(staff_client: Client, query: dict[str, str]) -> None:
    url = reverse("admin:customers_customer_timeline", args=[make_customer().pk])

    assert staff_client.get(url, query).status_code == 200


def test_every_kind_has_a_filter(staff_client: Client) -> None:
    customer = make_history()
    url = reverse("admin:customers_customer_timeline", args=[customer.pk])
    for kind in KINDS:
        answer = staff_client.get(url, {"kind": kind, "day": "2030-01-01"})
        assert answer.status_code == 200


def test_the_page_shows_segments_and_consent(
    staff_client: Client,
) -> None:
    customer = make_history()
    consent.opt_out(customer.pk, "sms", "by phone", topic="offers")
    consent.suppress("email", str(customer.email), "complaint", "feedback loop")
    page = staff_client.get(reverse("admin:customers_customer_change", args=[customer.pk]))

    text = page.content.decode()
    assert f"since {timezone.localdate():%-d %b %Y}" in text
    assert "SMS · offers" in text
    assert "feedback loop" in text


def test_the_profile_is_on_the_page_and_in_the_api(staff_client: Client, api: APIClient) -> None:
    customer = make_customer(external_id="c1")
    told = api.get("/api/customers/c1/360").json()
    assert told["profile"]["churn_risk"] is None

    CustomerProfile.objects.create(
        customer=customer, lifetime_value=120, churn_risk=0.25, best_hour=19, favourite_brand="Acme"
    )
    told = api.get("/api/customers/c1/360").json()
    assert (told["profile"]["lifetime_value"], told["profile"]["best_hour"]) == ("120.00", 19)
    text = staff_client.get(
        reverse("admin:customers_customer_change", args=[customer.pk])
    ).content.decode()
    assert "Acme" in text
    assert "19:00" in text


def test_the_api_filters_the_timeline_by_type(api: APIClient) -> None:
    customer = make_customer(external_id="c1")
    happened(customer, "order_placed")
    happened(customer, "page_viewed")

    told = api.get("/api/customers/c1/timeline?type=order_placed").json()
    assert [entry["type"] for entry in told["results"]] == ["order_placed"]
