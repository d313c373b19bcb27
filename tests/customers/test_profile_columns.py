"""Every column of the customer profile is in the API, on the customer's page and in rules."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from customers.models import CustomerProfile
from customers.segments import matching
from customers.segments.language import fields
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

NOT_A_FIGURE = {"id", "customer", "computed_at"}
VALUES = {
    "engagement_score": (61.0, "61"),
    "churn_risk": (0.237, "23.7%"),
    "lifetime_value": (Decimal("812.34"), "$812.34"),
    "satisfaction": (4.1, "4.1 / 5"),
    "recency_score": (2, "2 · 4 · 3"),
    "frequency_score": (4, "2 · 4 · 3"),
    "monetary_score": (3, "2 · 4 · 3"),
    "rfm_segment": ("At risk", "At risk"),
    "preferred_channel": ("sms", "SMS"),
    "best_hour": (19, "19:00"),
    "favourite_category": ("Teapots", "Teapots"),
    "favourite_brand": ("Clayworks", "Clayworks"),
    "most_viewed_category": ("Lanterns", "Lanterns"),
    "last_interaction_type": ("page_viewed", "Viewed a page"),
    "seconds_on_site": (4_000, "1:06:40"),
    "average_time_on_site": (95.0, "0:01:35"),
    "response_rate": (0.415, "41.5%"),
    "alive_probability": (0.883, "88.3%"),
    "expected_orders": (3.7, "3.7"),
}
"""Column → value, and how the page shows it."""
CDP_NAMES = (
    "customer_lifetime_value", "churn_risk_score", "satisfaction_score", "preferred_marketing_channel", "favorite_category",
    "favorite_brand", "most_viewed_product_category", "average_time_spent_on_site", "campaign_response_rate", "last_interaction_type",
    "engagement_score", "date_of_birth", "registered_at", "total_purchases", "last_purchase_date",
)  # fmt: skip


def columns() -> set[str]:
    return {field.name for field in CustomerProfile._meta.concrete_fields} - NOT_A_FIGURE


@pytest.fixture
def profile() -> CustomerProfile:
    customer = make_customer(external_id="c1", total_spend=100, date_of_birth="1990-02-01")
    values = {name: value for name, (value, _text) in VALUES.items()}
    return CustomerProfile.objects.create(customer=customer, **values)


def test_this_file_names_every_column() -> None:
    assert set(VALUES) == columns()


def test_the_api_returns_every_column(api: APIClient, profile: CustomerProfile) -> None:
    found = api.get("/api/customers/c1/360").json()

    assert columns() <= found["profile"].keys()
    for name, (value, _text) in VALUES.items():
        assert str(found["profile"][name]) == str(value), name
    assert {"first_name", "last_name", "date_of_birth", "registered_at", "city"} <= found.keys()
    assert found["date_of_birth"] == "1990-02-01"


def test_the_page_shows_every_column(staff_client: Client, profile: CustomerProfile) -> None:
    url = reverse("admin:customers_customer_change", args=[profile.customer_id])
    page = staff_client.get(url).content.decode()
    box = page.split('class="profile-box profile-figures"')[1].split("</dl>")[0]
    for name, (_value, text) in VALUES.items():
        assert text in box, name


def test_the_page_shows_no_lifetime_value_without_a_prediction(
    staff_client: Client, profile: CustomerProfile
) -> None:
    CustomerProfile.objects.update(expected_orders=None, lifetime_value=100)
    url = reverse("admin:customers_customer_change", args=[profile.customer_id])
    box = staff_client.get(url).content.decode().split("profile-figures")[1].split("</dl>")[0]
    assert "not predicted yet" in box
    assert "$100.00" not in box


def test_rules_compare_every_column(profile: CustomerProfile) -> None:
    for name, (value, _text) in VALUES.items():
        rule = {
            "field": name,
            "operator": "=",
            "value": value if isinstance(value, str) else float(value),
        }
        assert matching({"operator": "AND", "conditions": [rule]}).get() == profile.customer, name


@pytest.mark.parametrize("name", CDP_NAMES)
def test_rules_know_the_names_of_other_platforms(name: str) -> None:
    assert fields.find(name) is not None
