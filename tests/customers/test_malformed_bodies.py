"""Every ingestion endpoint answers malformed data with a clear error and never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

HUGE = 10**400
ODD_VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, -1e308, HUGE, -HUGE, "", " ", "\x00", "a\x00b", "\ud800", "x" * 100_000,
    [], [[]], [None], ["\x00"], {}, {"": ""}, {"a": {"b": ["\x00"]}}, {"$gt": 1}, "NaN", "Infinity", "1e999999", "٣",
    "0001-01-01", "9999-12-31T23:59:59+14:00", "2025-02-30", "-0", "1_000", "0x10",
]  # fmt: skip

DOORS = {
    "/api/customers": {
        "id": "a", "email": "a@example.com", "name": "A", "phone": "+4930123456", "tags": ["t"], "attributes": {"a": 1},
        "country": "DE", "date_of_birth": "2000-01-01", "totalSpends": 1, "visits": 1, "lastVisit": "2024-01-01",
        "subscribed": True, "lifecycle_status": "lead", "timezone": "Europe/Berlin", "registered_at": "2024-01-01",
    },
    "/api/orders": {
        "id": "o", "customer_id": "known", "amount": 5, "items": ["A"], "placed_at": "2024-01-01", "store": "s",
        "currency": "EUR", "discount": 1, "attributes": {"a": 1}, "create_missing": False,
    },
    "/api/products": {"sku": "p", "name": "P", "price": 3, "attributes": {"a": 1}, "category": "c", "brand": "b"},
    "/api/service-interactions": {
        "id": "s", "customer_id": "known", "occurred_at": "2024-01-01", "type": "inquiry", "subject": "s", "sku": "p",
        "satisfaction": 3, "resolved_at": "2024-01-02", "attributes": {"a": 1},
    },
    "/api/visits": {"id": "v", "customer_id": "known", "occurred_at": "2024-01-01", "url": "/", "pages": 1, "seconds": 9},
    "/api/interests": {"customer_id": "known", "category": "c", "score": 0.5, "source": "stated"},
}  # fmt: skip
BATCHES = {"/api/customers/batch": "customers", "/api/orders/batch": "orders"}
LISTS = {
    **{path.removesuffix("/batch"): name for path, name in BATCHES.items()},
    "/api/service-interactions": "service_interactions", "/api/visits": "visits", "/api/interests": "interests",
}  # fmt: skip
OWN = {"id", "email"}
"""Fields that tell the items of a batch apart."""
TAKE_LISTS = {*BATCHES, "/api/service-interactions", "/api/visits", "/api/interests"}
ITEM_FIELDS = ("product", "name", "sku", "category", "brand", "quantity", "price")


def send(api: APIClient, path: str, body: Any) -> Any:
    return api.post(path, json.dumps(body), content_type="application/json")


def assert_clear(answer: Any, sent: Any) -> None:
    assert answer.status_code < 500, (sent, answer.content[:500])
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        problem = json.loads(answer.content)
        assert problem["status"] == answer.status_code
        assert problem.get("detail") or problem.get("errors"), sent


@pytest.mark.parametrize("path", [*DOORS, *BATCHES])
def test_a_body_of_another_shape_is_a_400(api: APIClient, path: str) -> None:
    for body in ODD_VALUES:
        answer = send(api, path, body)
        assert_clear(answer, body)
        if not (isinstance(body, list) and path in TAKE_LISTS):
            assert answer.status_code == 400, body


@pytest.mark.parametrize("path", DOORS)
def test_each_field_with_each_odd_value_gets_a_clear_answer(api: APIClient, path: str) -> None:
    """Send bodies alone, but of those that a batch refuses for the field only one, which alone has the same errors."""
    make_customer(external_id="known")
    for field in DOORS[path]:
        bodies = [
            {name: f"{number}{own}" if name in OWN else own for name, own in DOORS[path].items()}
            | {field: value}
            for number, value in enumerate(ODD_VALUES)
        ]
        refused = errors_in_batch(api, path, field, bodies) if path in LISTS else {}
        for number in [*refused][:1]:
            answer = send(api, path, bodies[number])
            assert answer.status_code == 400, (field, ODD_VALUES[number])
            assert answer.json()["errors"] == refused[number]
        for number, body in enumerate(bodies):
            if number not in refused:
                assert_clear(send(api, path, body), (field, ODD_VALUES[number]))


def errors_in_batch(
    api: APIClient, path: str, field: str, bodies: list[dict[str, Any]]
) -> dict[int, list[dict[str, str]]]:
    """Send the bodies as one batch, and return the errors of the items that are refused for the field."""
    answer = send(api, f"{path}/batch", {LISTS[path]: bodies})
    assert_clear(answer, field)
    results = answer.json()["results"]
    assert [result["index"] for result in results] == [*range(len(bodies))], field
    failed = {each["index"]: each["errors"] for each in results if each["status"] == "failed"}
    assert all(error["message"] for errors in failed.values() for error in errors), field
    return {at: errors for at, errors in failed.items() if errors[0]["path"] == field}


def test_each_odd_value_in_an_item_gets_a_clear_answer(api: APIClient) -> None:
    make_customer(external_id="known")
    for field in ITEM_FIELDS:
        for value in ODD_VALUES:
            items = [{"product": "A", "price": 1, field: value}]
            assert_clear(
                send(api, "/api/orders", DOORS["/api/orders"] | {"items": items}), (field, value)
            )
    for value in ODD_VALUES:
        assert_clear(send(api, "/api/orders", DOORS["/api/orders"] | {"items": [value]}), value)


@pytest.mark.parametrize("path", BATCHES)
def test_odd_items_of_a_batch_fail_alone(api: APIClient, path: str) -> None:
    make_customer(external_id="known")
    door = path.removesuffix("/batch")

    answer = send(api, path, {BATCHES[path]: [*ODD_VALUES, DOORS[door]]})

    assert answer.status_code == 207, answer.content[:500]
    assert answer.json()["results"][-1]["status"] == "created"
    for value in ODD_VALUES:
        assert_clear(send(api, path, {BATCHES[path]: value}), value)


@pytest.mark.parametrize("path", [*DOORS, *BATCHES])
@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": }', b"\xff\xfe", b"\x00", b'"' + b"[" * 100_000, b"[" * 100_000]
)
def test_invalid_json_returns_400(api: APIClient, path: str, body: bytes) -> None:
    answer = api.post(path, body, content_type="application/json")

    assert answer.status_code == 400
    assert_clear(answer, body)


@pytest.mark.parametrize("path", [*DOORS, *BATCHES])
def test_another_media_type_is_a_clear_refusal(api: APIClient, path: str) -> None:
    answer = api.post(path, "<a/>", content_type="application/xml")

    assert answer.status_code == 415
    assert_clear(answer, "xml")


@pytest.mark.parametrize("path", ["/api/customers", "/api/orders", "/api/products"])
@pytest.mark.parametrize(
    "query",
    [
        "page=0", "page=a", "page=999999999999999999999", "page_size=-1", "page_size=a", "ordering=nothing", "search=%00",
        "search=" + "a%20" * 500, "format=xml", "city=%00", "store=%00", "category=%00", "total_spend_min=a",
        "amount_min=a", "amount_min=1e999", "placed_after=x", "registered_after=x", "total_spend_min=NaN", "segment=%00",
        "tag=%00", "customer=%00", "order_count_min=99999999999999999999999",
    ],
)  # fmt: skip
def test_odd_queries_get_a_clear_answer(api: APIClient, path: str, query: str) -> None:
    answer = api.get(f"{path}?{query}")

    assert answer.status_code in {200, 400, 404}


@pytest.mark.parametrize("path", ["/api/customers", "/api/orders", "/api/products"])
@pytest.mark.parametrize("name", ["%00", "cus_", "cus_%00", "é", "a" * 3000, "..", "%2e%2e", "-1"])
def test_odd_ids_are_not_found(api: APIClient, path: str, name: str) -> None:
    assert api.get(f"{path}/{name}").status_code == 404


def test_deeply_nested_attributes_are_refused(api: APIClient) -> None:
    nested: Any = 1
    for _level in range(200):
        nested = [nested]

    answer = send(api, "/api/customers", {"id": "a", "attributes": {"a": nested}})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "attributes"
