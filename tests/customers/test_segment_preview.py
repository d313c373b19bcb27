"""Previews count exactly or say that they do not, by how much at most, and go on until they do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from customers.models import Customer
from customers.querysets import CustomerQuerySet
from customers.segments.previews import count
from customers.segments.previews.count import (
    Progress,
    continue_preview,
    preview,
    start_preview,
)

pytestmark = pytest.mark.django_db

CUSTOMERS, TAGGED = 3_000, 400
RULES = {
    "operator": "AND",
    "conditions": [
        {"field": "visit_count", "operator": ">=", "value": 0},
        {"field": "tags", "operator": "contains", "value": "vip"},
    ],
}


@pytest.fixture
def customers() -> None:
    """Customers of whom the last are tagged, so that all of those stand on a few pages of the table."""
    Customer.objects.bulk_create(
        Customer(external_id=f"c{number}", tags=["vip"] if number >= CUSTOMERS - TAGGED else [])
        for number in range(CUSTOMERS)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function after which no count is done in time, and so many customers are many."""

    def set_limits(*, exact_to: int) -> None:
        monkeypatch.setattr(count, "EXACT_WITHIN", 0)
        monkeypatch.setattr(count, "EXACT_TO", exact_to)
        monkeypatch.setattr(count, "SAMPLED", 1_000)
        monkeypatch.setattr(count, "CHUNK", 1_000)
        monkeypatch.setattr(count, "STEP", 0.001)
        monkeypatch.setattr(count, "milliseconds_until", lambda deadline: 1)
        monkeypatch.setattr(CustomerQuerySet, "count", _slowly(CustomerQuerySet.count))

    return set_limits


def _slowly(counted: Callable[[Any], int]) -> Callable[[Any], int]:
    def wait(customers: Any) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.02)")
        return counted(customers)

    return wait


@pytest.mark.usefixtures("customers")
def test_a_count_on_a_busy_machine_is_exact(busy: Callable[..., None]) -> None:
    busy(exact_to=CUSTOMERS)

    seen = preview(RULES)

    assert (seen.count, seen.margin) == ((TAGGED, False), None)
    assert len(seen.sample) == 10


@pytest.mark.usefixtures("customers")
def test_an_estimate_of_many_customers_states_its_margin(busy: Callable[..., None]) -> None:
    busy(exact_to=100)

    estimates = [preview(RULES) for _time in range(10)]

    assert all(seen.count.estimated for seen in estimates)
    margins = [seen.margin for seen in estimates if seen.margin]
    assert max(margins) < CUSTOMERS / 20
    missed = [each for each in estimates if abs(each.count.number - TAGGED) > (each.margin or 0)]
    assert len(missed) <= 3
    assert len({seen.count.number for seen in estimates}) > 1
    assert preview(RULES, exact=True).count == (TAGGED, False)


@pytest.mark.usefixtures("customers")
def test_an_estimate_of_nobody_has_a_margin(busy: Callable[..., None]) -> None:
    busy(exact_to=100)
    nobody = {"operator": "AND", "conditions": [{"field": "city", "operator": "=", "value": "X"}]}

    seen = preview(nobody)

    assert seen.count == (0, True)
    assert 3 <= (seen.margin or 0) <= 30


@pytest.mark.usefixtures("customers")
@pytest.mark.parametrize("exact_to", [100, CUSTOMERS])
def test_a_count_goes_on_until_it_is_exact(busy: Callable[..., None], exact_to: int) -> None:
    busy(exact_to=exact_to)
    seen, steps = start_preview(RULES), 0

    while seen.progress:
        assert seen.count.estimated
        seen, steps = (
            continue_preview(RULES, Progress.from_text(seen.progress.as_text())),
            steps + 1,
        )

    assert steps > 1
    assert (seen.count, seen.total, seen.margin) == ((TAGGED, False), (CUSTOMERS, False), None)
    assert len(seen.sample) == 10


@pytest.mark.usefixtures("customers")
def test_the_page_shows_the_progress_and_then_the_count(
    busy: Callable[..., None], staff_client: Client
) -> None:
    busy(exact_to=CUSTOMERS)
    given = {"rules": json.dumps(RULES)}
    url = reverse("admin:customers_segment_preview")

    first = staff_client.post(url, given).content.decode()
    assert "Counting…" in first
    shown = first
    while step := re.search(r'data-progress="([^"]+)"', shown):
        shown = staff_client.post(url, {**given, "progress": step[1]}).content.decode()

    assert f">{TAGGED}</b>" in shown
    assert staff_client.post(url, {**given, "progress": "[1, 2"}).status_code == 200


@pytest.mark.usefixtures("customers")
def test_the_api_waits_for_the_exact_count(busy: Callable[..., None], api: APIClient) -> None:
    busy(exact_to=100)
    url = "/api/customers/preview/"

    estimate = api.post(url, {"rules": RULES}).data
    exact = [
        api.post(url, {"rules": RULES, "exact": True}).data,
        api.post(f"{url}?exact=true", RULES).data,
    ]

    assert estimate["count_estimated"]
    assert estimate["margin"] > 0
    for answer in exact:
        assert (answer["count"], answer["count_estimated"], answer["margin"]) == (400, False, None)
    assert api.post(f"{url}?exact=perhaps", RULES).status_code == 400
