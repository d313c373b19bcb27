"""A batch stores its valid customers and names its invalid ones."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from customers.models import Customer

pytestmark = pytest.mark.django_db


def people(how_many: int) -> list[dict[str, Any]]:
    return [
        {"id": f"c{number}", "name": f"Person {number}", "email": f"c{number}@example.com"}
        for number in range(how_many)
    ]


@pytest.mark.parametrize("path", ["/api/customers/batch", "/api/customers/batch/"])
def test_a_batch_is_stored_at_once(api: APIClient, path: str) -> None:
    answer = api.post(path, {"customers": people(3)}, format="json")

    assert answer.status_code == 200, answer.data
    assert {name: answer.data[name] for name in ("created", "updated", "failed")} == {
        "created": 3,
        "updated": 0,
        "failed": 0,
    }
    assert Customer.objects.count() == 3


def test_a_batch_stores_993_rows_and_names_seven_invalid_ones(
    api: APIClient,
) -> None:
    rows: list[Any] = people(1000)
    rows[10]["email"] = "not an address"
    rows[99] = {"name": "without an id"}
    rows[250]["totalSpends"] = "a lot"
    rows[500] = ["a", "list"]
    rows[501] = None
    rows[777]["id"] = "x" * 300
    rows[999]["lastVisit"] = "yesterday-ish"
    bad = [10, 99, 250, 500, 501, 777, 999]

    answer = api.post("/api/customers/batch", {"customers": rows}, format="json")

    assert answer.status_code == 207
    assert (answer.data["created"], answer.data["failed"]) == (993, 7)
    failed = [each for each in answer.data["results"] if each["status"] == "failed"]
    assert [each["index"] for each in failed] == bad
    assert all(each["errors"][0]["message"] for each in failed)
    assert Customer.objects.count() == 993


def test_two_rows_of_one_customer_are_merged(api: APIClient) -> None:
    rows = [{"id": "a", "city": "Rome"}, {"id": "a", "email": "a@example.com", "city": "Milan"}]

    answer = api.post("/api/customers/batch", {"customers": rows}, format="json")

    assert [each["status"] for each in answer.data["results"]] == ["created", "updated"]
    assert (Customer.objects.get().city, Customer.objects.get().email) == (
        "Milan",
        "a@example.com",
    )


def test_a_batch_repeated_changes_nothing(api: APIClient) -> None:
    api.post("/api/customers/batch", {"customers": people(5)}, format="json")
    before = list(Customer.objects.order_by("pk").values())

    answer = api.post("/api/customers/batch", {"customers": people(5)}, format="json")

    assert answer.data["unchanged"] == 5
    assert list(Customer.objects.order_by("pk").values()) == before


def test_more_than_ten_thousand_rows_are_refused(api: APIClient) -> None:
    answer = api.post("/api/customers/batch", {"customers": people(10_001)}, format="json")

    assert answer.status_code == 400
    assert not Customer.objects.exists()


def test_the_single_endpoint_accepts_a_batch(api: APIClient) -> None:
    answer = api.post("/api/customers", {"customers": [{"id": "a"}, {"id": "b", "email": "x"}]})

    assert answer.status_code == 207
    assert answer.json()["created"] == 1
    assert Customer.objects.get().external_id == "a"
