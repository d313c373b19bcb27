"""Descriptions over the API: the customers they match, and odd input."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from customers.models import Customer
from customers.segments.sql.compile import compile_rules
from customers.timeline import NewInteraction, record_interactions
from tests.factories.customers import make_customer, make_order, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> None:
    """Create five customers named after their purchases and activity."""
    now = timezone.now()
    books = make_product(name="Atlas", category="Books")
    shoes = make_product(name="Boots", category="Shoes")
    reader = make_customer(
        first_name="Reader", city="Paris", country="FR", total_spend=640, order_count=3,
        last_order_at=now - timedelta(days=10), tags=["gold"], phone="+33612345678",
    )  # fmt: skip
    walker = make_customer(
        first_name="Walker", city="Lyon", country="FR", total_spend=120, order_count=1,
        last_order_at=now - timedelta(days=200),
    )  # fmt: skip
    make_customer(
        first_name="Lead", city="Berlin", country="DE", visit_count=4, email=None, external_id="L"
    )
    staff = make_customer(first_name="Staff", city="Paris", country="FR", tags=["staff", "gold"])
    opener = make_customer(first_name="Opener", country="US")
    for days in (10, 40, 80):
        make_order(reader, 210, now - timedelta(days=days), [books])
    make_order(walker, 120, now - timedelta(days=200), [shoes])
    record_interactions(
        [
            NewInteraction(
                opener.pk, "message_opened", now - timedelta(days=3), {"channel": "email"}
            ),
            NewInteraction(
                staff.pk, "message_opened", now - timedelta(days=90), {"channel": "email"}
            ),
            NewInteraction(
                reader.pk, "message_clicked", now - timedelta(days=2), {"channel": "sms"}
            ),
        ]
    )


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ("customers who spent over $500 on Books in the last 90 days", {"Reader"}),
        ("people in Paris or Lyon who spent > 500", {"Reader"}),
        ("anyone who bought at least twice in 6 months", {"Reader"}),
        ("haven't shopped in 90 days", {"Walker", "Lead", "Staff", "Opener"}),
        ("no orders", {"Lead", "Staff", "Opener"}),
        ("bought shoes but not Books", {"Walker"}),
        ("French customers except those tagged staff", {"Reader", "Walker"}),
        ("opened nothing in 60 days", {"Reader", "Walker", "Lead", "Staff"}),
        ("never opened", {"Reader", "Walker", "Lead"}),
        ("clicked an sms this year or last year", {"Reader"}),
        ("clicked any email in the last 30 days", set()),
        ("tagged gold and living in Paris, but not staff", {"Reader"}),
        ("at least 3 visits", {"Lead"}),
        ("without an email address", {"Lead"}),
        ("can be reached by sms", {"Reader"}),
        ("last order more than 100 days ago", {"Walker"}),
        ("(in Berlin or tagged staff) and no orders", {"Lead", "Staff"}),
        ("neither in France nor in Germany", {"Opener"}),
        ("everyone", {"Reader", "Walker", "Lead", "Staff", "Opener"}),
    ],
)
def test_a_description_finds_the_customers(
    api: APIClient, shop: None, description: str, names: set[str]
) -> None:
    answer = api.post("/api/ai/segment-from-text", {"description": description}, format="json")

    assert answer.status_code == 200, answer.data
    found = Customer.objects.filter(compile_rules(answer.data["rules"]))
    assert {customer.first_name for customer in found} == names
    assert answer.data["count"] == len(names)
    assert answer.data["unparsed"] == []
    assert answer.data["source"] == "grammar"


@pytest.mark.parametrize(
    "description",
    [
        "((((((((((((((((((((((((((((((in Paris",
        "not " * 200 + "vip",
        "or and but except , ; ( ) not",
        "paris " * 300,
        "in 99999999999999999999 days",
        "spent over " + "9" * 400,
        "ordered on 31/31/2025 or 30 February or 0000-00-00",
        "“unclosed and \"odd' quotes ’",
        "🎁 emoji 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u200b \u202e",
        "between 5 and 3 orders",
        "in the last 1e9 years since 2199",
    ],
)
def test_odd_descriptions_get_an_answer(api: APIClient, description: str) -> None:
    answer = api.post("/api/ai/segment-from-text", {"description": description}, format="json")

    assert answer.status_code == 200, answer.data
    assert answer.data["explanation"]


@pytest.mark.parametrize(
    "body", [{}, {"description": ""}, {"description": 5 * [1]}, {"description": "x" * 2_001}]
)
def test_a_missing_or_long_description_returns_400(api: APIClient, body: dict[str, object]) -> None:
    assert api.post("/api/ai/segment-from-text", body, format="json").status_code == 400
