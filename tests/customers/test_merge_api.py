"""The API merges customers, resolves merged ids and undoes merges."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from crm.accounts import tokens
from crm.accounts.models import User
from crm.api import ids
from customers.identity import duplicates
from customers.ingest import upsert_customers
from customers.models import Customer, Order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ada_twice() -> None:
    rows = [
        {"external_id": "ada", "email": "ada@gmail.com", "city": "Bonn"},
        {"external_id": "ada2", "email": "a.da@gmail.com", "city": "Köln"},
    ]
    upsert_customers(rows, evidence="test")


def test_a_duplicate_is_merged(api: APIClient) -> None:
    answer = api.post("/api/customers/ada/merge", {"duplicate": "ada2"}).json()

    assert answer["customer"]["external_id"] == "ada"
    assert answer["customer"]["city"] == "Bonn"
    assert Customer.objects.count() == 1


def test_a_merge_takes_the_chosen_values(api: APIClient) -> None:
    body = {"into": "ada", "fields_of_duplicate": ["city"]}

    answer = api.post("/api/customers/ada2/merge", body).json()

    assert (answer["customer"]["external_id"], answer["customer"]["city"]) == ("ada", "Köln")


def test_old_ids_answer_with_the_survivor(api: APIClient) -> None:
    old = ids.encode("cus", Customer.objects.get(external_id="ada2").pk)
    api.post("/api/customers/ada/merge", {"duplicate": "ada2"})

    for name in ("ada2", old):
        assert api.get(f"/api/customers/{name}").json()["external_id"] == "ada"
    found = api.get("/api/merges", {"duplicate": old}).json()["results"]
    assert [each["duplicate"] for each in found] == [old]


def test_an_order_with_a_merged_id_goes_to_the_survivor(api: APIClient) -> None:
    old = ids.encode("cus", Customer.objects.get(external_id="ada2").pk)
    api.post("/api/customers/ada/merge", {"duplicate": "ada2"})

    for number, name in enumerate((old, "ada2", "a.da@gmail.com")):
        order = {"id": f"o{number}", "customer_id": name, "amount": 5}
        assert api.post("/api/orders", order).status_code == 201

    assert {order.customer.external_id for order in Order.objects.all()} == {"ada"}


def test_a_visit_with_a_merged_id_goes_to_the_survivor(api: APIClient) -> None:
    old = ids.encode("cus", Customer.objects.get(external_id="ada2").pk)
    api.post("/api/customers/ada/merge", {"duplicate": "ada2"})

    for name in (old, "ada2", "a.da@gmail.com"):
        visit = {"id": f"v-{name}", "customer_id": name, "occurred_at": "2024-05-01T10:00:00Z"}
        assert api.post("/api/visits", visit).status_code == 201

    assert Customer.objects.get().visit_count == 3


def test_a_merge_is_undone(api: APIClient) -> None:
    done = api.post("/api/customers/ada/merge", {"duplicate": "ada2"}).json()

    undone = api.post(f"/api/merges/{done['id']}/undo")

    assert undone.status_code == 200
    assert undone.json()["undone_at"]
    assert api.get("/api/customers/ada2").json()["external_id"] == "ada2"
    assert api.post(f"/api/merges/{done['id']}/undo").status_code == 409


def test_a_second_merge_returns_409(api: APIClient) -> None:
    api.post("/api/customers/ada/merge", {"duplicate": "ada2"})

    assert api.post("/api/customers/ada/merge", {"duplicate": "ada2"}).status_code == 409


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ""),
        ({"into": "ada2", "duplicate": "ada2"}, ""),
        ({"into": "nobody"}, "into"),
        ({"duplicate": "cus_nobody"}, "duplicate"),
        ({"duplicate": "ada2", "fields_of_duplicate": ["total_spend"]}, "fields_of_duplicate[0]"),
    ],
)
def test_invalid_fields_are_named(api: APIClient, body: dict[str, object], path: str) -> None:
    response = api.post("/api/customers/ada/merge", body)

    assert response.status_code == 400
    assert response.json()["errors"][0]["path"] == path


def test_an_ingest_token_cannot_merge(staff: User) -> None:
    _token, text = tokens.issue(staff, scopes=["ingest"])
    client = APIClient(headers={"Authorization": f"Bearer {text}"})

    assert client.post("/api/customers/ada/merge", {"duplicate": "ada2"}).status_code == 403


def test_likely_duplicates_are_listed(api: APIClient) -> None:
    duplicates.find_duplicates()

    pairs = api.get("/api/likely-duplicates").json()["results"]

    assert [(pair["customer"]["external_id"], pair["other"]["external_id"]) for pair in pairs] == [
        ("ada", "ada2")
    ]
