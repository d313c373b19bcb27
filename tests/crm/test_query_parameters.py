"""Every endpoint refuses unknown query parameters, and names the known ones."""

from __future__ import annotations

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from tests.crm import endpoints

pytestmark = pytest.mark.django_db


def test_every_endpoint_names_its_parameters(api: APIClient) -> None:
    described = SchemaGenerator().get_schema(public=True)["paths"]
    checked = 0

    for endpoint in endpoints.every():
        if endpoint.key in endpoints.OF_STAFF:
            continue
        answer = getattr(api, endpoint.method.lower())(f"{endpoint.url}?no_such_name=1")
        operation = described[endpoint.path][endpoint.method.lower()]
        known = sorted(
            each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"
        )
        assert answer.status_code == 400, endpoint
        assert answer.headers["Content-Type"] == "application/problem+json"
        [error] = answer.json()["errors"]
        assert error["path"] == "no_such_name"
        assert ", ".join(known) in error["message"], endpoint
        checked += 1

    assert checked > 150


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/api/orders?customer_id=C-1", "customer"),
        ("/api/customers?status=lead", "lifecycle_status"),
        ("/api/customers?tags=vip", "tag"),
        ("/api/campaigns?state=draft", "status"),
        ("/api/orders?placed_at=2024-01-01", "placed_after"),
        ("/api/orders?pagesize=5", "page_size"),
        ("/api/webhooks?active=1", "is_active"),
        ("/api/customers?format=csv&Country=DE", "country"),
        ("/api/analytics/kpis?since=2026-01-01", "days"),
    ],
)
def test_a_misspelt_filter_is_refused(api: APIClient, path: str, known: str) -> None:
    answer = api.get(path)

    assert answer.status_code == 400
    assert f" {known}" in answer.json()["errors"][0]["message"].replace(",", "")


@pytest.mark.parametrize(
    "path",
    [
        "/api/customers/batch?mode=later",
        "/api/analytics/attribution?model=best",
        "/api/customers?lifecycle_status=fan",
        "/api/orders?amount_min=many",
        "/api/orders?placed_after=yesterday",
        "/api/customers?page_size=0",
    ],
)
def test_an_unknown_choice_is_refused(api: APIClient, path: str) -> None:
    answer = api.post(path, []) if "batch" in path else api.get(path)

    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"][0]["message"]


def test_the_browsable_api_keeps_its_forms(api: APIClient) -> None:
    for path in ("/api/customers/", "/api/analytics/kpis/", "/api/segments/"):
        page = api.get(path, {"format": "api"}, headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "<form" in page.content.decode()
    answer = api.get("/api/customers/?city=&tag=&page=1", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    refused = api.get("/api/customers/?tags=vip", headers={"Accept": "text/html"})
    assert refused.status_code == 400
    assert "lifecycle_status" in refused.content.decode()
