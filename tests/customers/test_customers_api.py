"""The API creates, finds, updates, lists and deletes customers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from crm.events.models import MarketingEvent
from customers.models import Customer
from customers.timeline import types
from tests.factories.customers import make_customer, make_order

pytestmark = pytest.mark.django_db

JOHN = {
    "id": "cust_001",
    "name": "John Doe",
    "email": "john@example.com",
    "totalSpends": 15000,
    "visits": 5,
    "lastVisit": "2024-01-15T10:30:00.000Z",
}


@pytest.mark.parametrize("path", ["/api/customers", "/api/customers/"])
def test_a_customer_in_camel_case_is_accepted(api: APIClient, path: str) -> None:
    answer = api.post(path, JOHN, format="json")

    assert answer.status_code == 201, answer.data
    john = Customer.objects.get(external_id="cust_001")
    assert (john.first_name, john.last_name, john.email) == ("John", "Doe", "john@example.com")
    assert (john.total_spend, john.visit_count) == (Decimal(15000), 5)
    assert john.last_visit_at == datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    assert answer.data["external_id"] == "cust_001"
    assert answer.data["total_spend"] == "15000.00"


def test_a_known_customer_is_merged_and_answered_with_200(api: APIClient) -> None:
    api.post("/api/customers", JOHN, format="json")
    answer = api.post("/api/customers", {"id": "cust_001", "city": "Berlin"}, format="json")

    assert answer.status_code == 200
    john = Customer.objects.get()
    assert (john.city, john.first_name, john.total_spend) == ("Berlin", "John", Decimal(15000))


def test_an_email_matches_a_customer_without_external_id(api: APIClient) -> None:
    make_customer(email="john@example.com", external_id=None)

    answer = api.post("/api/customers", {**JOHN, "email": "John@Example.com"}, format="json")

    assert answer.status_code == 200
    assert Customer.objects.get().external_id == "cust_001"


def test_a_repeated_customer_writes_nothing(api: APIClient) -> None:
    api.post("/api/customers", JOHN, format="json")
    before = Customer.objects.get().updated_at
    told = MarketingEvent.objects.filter(type=types.CUSTOMERS_CHANGED).count()

    assert api.post("/api/customers", JOHN, format="json").status_code == 200
    assert Customer.objects.get().updated_at == before
    assert MarketingEvent.objects.filter(type=types.CUSTOMERS_CHANGED).count() == told


def test_an_unknown_field_is_named(api: APIClient) -> None:
    answer = api.post("/api/customers", {"id": "a", "shoe_size": 44}, format="json")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.data["errors"][0]["path"] == "shoe_size"


def test_a_customer_without_any_id_is_refused(api: APIClient) -> None:
    answer = api.post("/api/customers", {"name": "Nobody"}, format="json")

    assert answer.status_code == 400
    assert "external_id or an email" in answer.data["errors"][0]["message"]


def test_a_patch_clears_null_fields(api: APIClient) -> None:
    make_customer(external_id="ada", city="London", phone="+442079460958", tags=["vip"])

    cleared = {"city": None, "phone": None, "tags": []}
    answer = api.patch("/api/customers/ada", cleared, format="json")

    assert answer.status_code == 200, answer.data
    assert [answer.data[name] for name in cleared] == ["", "", []]


def test_a_patch_cannot_take_the_address_of_another(api: APIClient) -> None:
    make_customer(email="taken@example.com")
    make_customer(external_id="ada")

    answer = api.patch("/api/customers/ada", {"email": "taken@example.com"}, format="json")

    assert answer.status_code == 400
    assert answer.data["errors"][0]["path"] == "email"


def test_a_customer_is_found_by_either_id_and_deleted(api: APIClient) -> None:
    api.post("/api/customers", JOHN, format="json")
    ours = api.get("/api/customers/cust_001").data["id"]

    assert api.get(f"/api/customers/{ours}/").data["external_id"] == "cust_001"
    assert api.delete(f"/api/customers/{ours}").status_code == 204
    assert api.get("/api/customers/cust_001").status_code == 404


def test_the_same_idempotency_key_gets_the_first_answer_again(api: APIClient) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "k-1"}
    first = api.post("/api/customers", JOHN, format="json", **key)
    again = api.post("/api/customers", JOHN, format="json", **key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()


def test_an_idempotency_key_with_another_body_is_a_conflict(api: APIClient) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "k-2"}
    api.post("/api/customers", JOHN, format="json", **key)

    assert api.post("/api/customers", {"id": "b"}, format="json", **key).status_code == 409
    assert not Customer.objects.filter(external_id="b").exists()


def test_lists_filter_search_order_and_page(api: APIClient) -> None:
    make_customer(external_id="a", first_name="Grace", city="Berlin", total_spend=10, tags=["vip"])
    make_customer(external_id="b", first_name="Greta", city="Paris", total_spend=30)
    make_customer(external_id="c", first_name="Otto", city="Berlin", total_spend=20)

    def found(query: str) -> list[str]:
        answer = api.get(f"/api/customers?{query}")
        assert answer.status_code == 200, answer.data
        return [each["external_id"] for each in answer.data["results"]]

    assert found("city=Berlin") == ["c", "a"]
    assert found("tag=vip") == ["a"]
    assert found("search=gr") == ["b", "a"]
    assert found("ordering=-total_spend") == ["b", "c", "a"]
    assert found("total_spend_min=15&total_spend_max=25") == ["c"]
    assert found("page_size=1&page=2") == ["b"]


def test_a_list_as_csv_disarms_formulas(api: APIClient) -> None:
    make_customer(external_id="a", first_name="=cmd|' /C calc'!A0")

    answer = api.get("/api/customers?format=csv")

    text = b"".join(answer.streaming_content).decode()
    assert answer["Content-Type"].startswith("text/csv")
    assert "'=cmd|' /C calc'!A0" in text


def test_the_timeline_lists_newest_first(api: APIClient) -> None:
    make_customer(external_id="a")
    for number, day in ((1, "2025-01-01"), (2, "2025-02-01")):
        api.post(
            "/api/orders",
            {"id": f"o{number}", "customer_id": "a", "amount": 5, "placed_at": day},
            format="json",
        )

    answer = api.get("/api/customers/a/timeline")

    assert [each["properties"]["order"] for each in answer.data["results"]] == ["o2", "o1"]


def test_opening_figures_and_orders_add_up(api: APIClient) -> None:
    api.post("/api/customers", JOHN, format="json")
    api.post(
        "/api/orders", {"id": "o1", "customerId": "cust_001", "amount": "10.50"}, format="json"
    )

    john = Customer.objects.get()
    assert (john.total_spend, john.order_count) == (Decimal("15010.50"), 1)
    assert john.average_order_value == Decimal("10.50")


def test_a_lead_who_orders_is_active(api: APIClient) -> None:
    lead = {"external_id": "a", "email": "a@example.com", "lifecycle_status": "lead"}
    api.post("/api/customers", lead)
    api.post("/api/orders", {"id": "o1", "customer_id": "a", "amount": "10.50"}, format="json")
    assert Customer.objects.get().lifecycle_status == "active"

    api.post("/api/customers", lead)
    assert Customer.objects.get().lifecycle_status == "active"
    api.post("/api/customers", lead | {"lifecycle_status": "churned"})
    assert Customer.objects.get().lifecycle_status == "churned"


def test_a_customer_is_deleted_with_their_orders(api: APIClient) -> None:
    make_order(make_customer(external_id="a"))

    assert api.delete("/api/customers/a").status_code == 204
