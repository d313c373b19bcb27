"""The API stores orders, singly and in batches."""

from __future__ import annotations

from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from customers.models import Customer, Order, Product
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

ORDER = {
    "id": "order_001",
    "customerId": "cust_001",
    "amount": 2500,
    "items": ["Product A", "Product B"],
}


@pytest.fixture
def buyer() -> Customer:
    return make_customer(external_id="cust_001", email="buyer@example.com")


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/"])
def test_an_order_in_camel_case_is_accepted(api: APIClient, buyer: Customer, path: str) -> None:
    answer = api.post(path, ORDER, format="json")

    assert answer.status_code == 201, answer.data
    order = Order.objects.get(external_id="order_001")
    assert (order.customer, order.amount) == (buyer, Decimal(2500))
    assert [line.name for line in order.lines.order_by("position")] == ["Product A", "Product B"]
    buyer.refresh_from_db()
    assert (buyer.total_spend, buyer.order_count) == (Decimal(2500), 1)


def test_items_may_describe_products(api: APIClient, buyer: Customer) -> None:
    items = [
        {"product": "Tea", "category": "Drinks", "brand": "Leaf", "quantity": 2, "price": "3.50"},
        {"product": "Cup", "price": 5},
    ]
    answer = api.post(
        "/api/orders", {"id": "o", "customer_id": "cust_001", "items": items}, format="json"
    )

    assert answer.status_code == 201, answer.data
    assert answer.data["amount"] == "12.00"
    tea = Product.objects.get(sku="Tea")
    assert (tea.category, tea.brand) == ("Drinks", "Leaf")


def test_an_order_sent_again_is_replaced(api: APIClient, buyer: Customer) -> None:
    api.post("/api/orders", ORDER, format="json")
    answer = api.post("/api/orders", {**ORDER, "amount": 100, "items": ["C"]}, format="json")

    assert answer.status_code == 200
    buyer.refresh_from_db()
    assert (buyer.total_spend, buyer.order_count) == (Decimal(100), 1)
    assert [line.name for line in Order.objects.get().lines.all()] == ["C"]


def test_a_refund_lowers_the_spend(api: APIClient, buyer: Customer) -> None:
    api.post("/api/orders", ORDER, format="json")
    answer = api.post(
        "/api/orders", {"id": "r", "customerId": "cust_001", "amount": "-500.50"}, format="json"
    )

    assert answer.status_code == 201, answer.data
    buyer.refresh_from_db()
    assert buyer.total_spend == Decimal("1999.50")


def test_an_order_of_an_unknown_customer_is_refused(api: APIClient) -> None:
    answer = api.post("/api/orders", ORDER, format="json")

    assert answer.status_code == 400
    assert answer.data["errors"][0]["path"] == "customer_id"
    assert "cust_001" in answer.data["errors"][0]["message"]


@pytest.mark.parametrize("who", ["cust_001", "new@example.com"])
def test_missing_customers_are_created_on_request(api: APIClient, who: str) -> None:
    order = {**ORDER, "customerId": who, "create_missing": True}

    answer = api.post("/api/orders", order, format="json")

    assert answer.status_code == 201, answer.data
    assert who in (Customer.objects.get().external_id, Customer.objects.get().email)


def test_a_batch_stores_valid_orders_and_names_invalid_ones(
    api: APIClient, buyer: Customer
) -> None:
    orders = [
        {"id": "o1", "customer_id": "cust_001", "amount": 1},
        {"id": "o2", "customer_id": "nobody", "amount": 2},
        {"id": "o3", "customer_id": "buyer@example.com", "amount": "three"},
        {"id": "o4", "customer_id": "buyer@example.com", "amount": "4"},
        "no order",
    ]
    answer = api.post("/api/orders/batch", {"orders": orders}, format="json")

    assert answer.status_code == 207
    assert [each["status"] for each in answer.data["results"]] == [
        "created",
        "failed",
        "failed",
        "created",
        "failed",
    ]
    buyer.refresh_from_db()
    assert (buyer.total_spend, buyer.order_count) == (Decimal(5), 2)


def test_a_batch_may_create_missing_customers(api: APIClient) -> None:
    orders = [{"id": f"o{n}", "customer_id": f"new-{n % 2}", "amount": n} for n in range(4)]

    answer = api.post(
        "/api/orders/batch", {"orders": orders, "create_missing": True}, format="json"
    )

    assert answer.status_code == 200, answer.data
    assert sorted(Customer.objects.values_list("external_id", "total_spend")) == [
        ("new-0", Decimal(2)),
        ("new-1", Decimal(4)),
    ]


def test_the_later_of_two_orders_of_one_id_wins(api: APIClient, buyer: Customer) -> None:
    orders = [{"id": "o", "customer_id": "cust_001", "amount": n} for n in (1, 2)]

    answer = api.post("/api/orders/batch", {"orders": orders}, format="json")

    assert [each["status"] for each in answer.data["results"]] == ["created", "updated"]
    assert Order.objects.get().amount == Decimal(2)


def test_orders_are_listed_filtered_and_searched(api: APIClient, buyer: Customer) -> None:
    for number, amount in ((1, 10), (2, 20), (3, 30)):
        api.post(
            "/api/orders",
            {
                "id": f"o{number}",
                "customer_id": "cust_001",
                "amount": amount,
                "placed_at": f"2025-0{number}-01T00:00:00Z",
                "store": f"s{number % 2}",
            },
            format="json",
        )

    def found(query: str) -> list[str]:
        return [each["id"] for each in api.get(f"/api/orders?{query}").data["results"]]

    assert found("") == ["o3", "o2", "o1"]
    assert found("customer=cust_001&amount_min=15") == ["o3", "o2"]
    assert found("placed_after=2025-01-15T00:00:00Z&placed_before=2025-02-15T00:00:00Z") == ["o2"]
    assert found("search=o2") == ["o2"]
    assert found("ordering=amount&store=s1") == ["o1", "o3"]
    assert api.get("/api/orders/o2").data["amount"] == "20.00"
