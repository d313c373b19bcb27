"""A date that is another day with day and month exchanged is asked about, unless the call or the site states its order."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.forms import DateField, DateTimeField, ValidationError
from django.utils.formats import reset_format_cache
from rest_framework.test import APIClient

from crm.formats.en import formats
from customers.models import Customer, Order
from tests.customers.test_collect import Source, source  # noqa: F401 a fixture
from tests.factories.customers import make_customer

BOTH = "03/04/2024"
ORDER = {"id": "o-1", "customer_id": "ann", "amount": 5}
DOORS: list[tuple[str, dict[str, Any], str]] = [
    ("customers", {"id": "ann", "date_of_birth": BOTH}, "date_of_birth"),
    ("customers", {"id": "ann", "registered_at": f"{BOTH} 10:00"}, "registered_at"),
    ("customers", {"id": "ann", "lastVisit": "3-4-24"}, "last_visit_at"),
    ("customers", {"id": "ann", "email": "a@example.com", "subscribed": BOTH}, "subscribed"),
    ("customers", {"id": "ann", "email": "a@example.com", "subscribed": True, "email_opted_in_at": BOTH}, "email_opted_in_at"),
    ("orders", {**ORDER, "placed_at": BOTH}, "placed_at"),
    ("orders", {**ORDER, "placed_at": "2024-05-06", "status": "refunded", "refunded_at": BOTH}, "refunded_at"),
    ("visits", {"customer_id": "ann", "occurred_at": BOTH}, "occurred_at"),
    ("service-interactions", {"customer_id": "ann", "occurred_at": BOTH}, "occurred_at"),
    ("exchange-rates", {"day": BOTH, "base": "EUR", "currency": "SEK", "rate": "11.2"}, "day"),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("door", "sent", "field"), DOORS)
def test_a_call_with_an_ambiguous_date_is_refused(
    api: APIClient, settings: Any, door: str, sent: dict[str, Any], field: str
) -> None:
    make_customer(external_id="ann")
    settings.CURRENCY = "EUR"

    refused = api.post(f"/api/{door}", sent, format="json")

    assert refused.status_code == 400, refused.data
    (error,) = refused.data["errors"]
    assert error["path"] == field
    assert "2025-01-31, or set dates to day_first or month_first" in error["message"]
    assert api.post(f"/api/{door}?dates=day_first", sent, format="json").status_code in {200, 201}
    settings.DATE_ORDER = "month_first"
    assert api.post(f"/api/{door}", sent, format="json").status_code in {200, 201}


@pytest.mark.django_db
def test_a_call_states_the_order_of_its_dates(
    api: APIClient, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.DATE_ORDER = "month_first"
    born = {"id": "ann", "date_of_birth": BOTH}

    api.post("/api/customers?dates=day_first", born, format="json")
    assert Customer.objects.get().date_of_birth == date(2024, 4, 3)
    api.patch("/api/customers/ann", born, format="json")
    assert Customer.objects.get().date_of_birth == date(2024, 3, 4)
    api.patch("/api/customers/ann?dates=day_first", born, format="json")
    assert Customer.objects.get().date_of_birth == date(2024, 4, 3)
    placed = {**ORDER, "placed_at": BOTH}
    api.post("/api/orders/batch?dates=day_first", {"orders": [placed]}, format="json")
    assert Order.objects.get().placed_at.date() == date(2024, 4, 3)

    settings.DATE_ORDER = ""
    batch = api.post("/api/customers/batch", {"customers": [born, {"id": "bob"}]}, format="json")
    assert (batch.status_code, batch.data["failed"], batch.data["created"]) == (207, 1, 1)
    queued = {"customers": [born]}
    refused = api.post("/api/customers/batch?mode=async", queued, format="json")
    assert [error["path"] for error in refused.data["errors"]] == ["dates"]
    way_out = "/api/customers/batch?mode=async&dates=day_first"
    assert api.post(way_out, queued, format="json").data["reading"]["dates"] == "day_first"


@pytest.mark.django_db
def test_an_ambiguous_birthday_of_a_call_stays_a_trait(source: Source) -> None:  # noqa: F811
    answer = source.post("identify", {"userId": "ann", "traits": {"birthday": BOTH}})

    assert answer.status_code == 200
    ann = Customer.objects.get(external_id="ann")
    assert (ann.date_of_birth, ann.attributes["birthday"]) == (None, BOTH)


@pytest.fixture
def form_formats(settings: Any) -> Iterator[Any]:
    def read_with(order: str) -> None:
        settings.DATE_ORDER = order
        importlib.reload(formats)
        reset_format_cache()

    yield read_with
    read_with("")


def test_a_form_reads_dates_in_the_order_of_the_site(form_formats: Any) -> None:
    form_formats("")
    for field in (DateField(), DateTimeField()):
        with pytest.raises(ValidationError):
            field.clean(BOTH)
    assert DateField().clean("3.4.2024") == date(2024, 4, 3)
    form_formats("day_first")
    assert DateField().clean(BOTH) == date(2024, 4, 3)
    form_formats("month_first")
    assert DateTimeField().clean(f"{BOTH} 10:00").date() == date(2024, 3, 4)
