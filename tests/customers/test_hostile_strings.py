"""Unusual text survives the API, CSV, imports and the admin unchanged."""

from __future__ import annotations

import csv
import html
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from crm.api.csv import escape
from customers.models import Customer
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

NASTY = [
    "undefined", "NULL", "nil", "\\N", "\\", "\\\\", "1/0", "0x0", "-1", "1e1000", "٠١٢", "<script>alert(1)</script>",
    "'; DROP TABLE customers_customer; --", '"', "''", "`", "$HOME", "%s %(a)s {0} {a}", "{{ 7*7 }}", "{% raw %}",
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "田中さん", "👩‍👩‍👧‍👦 🇩🇪", "Z̮̞̠͙͔ͅḀ̗̞͈̻̗", "مرحبا \u202etxt", "a\u200bb\ufeff", "İıſ",
    "line\nbreak", "tab\tin", "cr\r\nlf", "\x01\x07\x1b[31m", "a\x7fb\x85c", "\u2028x\u2029", "ﬁ", "Ω≈ç√", "a" * 200, "';--\"<>&amp;",
    "../../etc/passwd", "{\"a\": [1]}", "[]", "true", "¯\\_(ツ)_/¯", "\U0001f4a9", "nan", "Infinity", "../", "C:\\con",
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
def test_the_api_returns_the_text_unchanged(api: APIClient, text: str) -> None:
    body = {
        "id": "a",
        "first_name": text,
        "last_name": text,
        "city": text,
        "region": text,
        "attributes": {"note": [text]},
    }
    answer = api.post("/api/customers", body, format="json")

    assert answer.status_code == 201, answer.data
    told = api.get("/api/customers/a").json()
    assert {told[name] for name in ("first_name", "last_name", "city", "region")} == {text}
    assert told["attributes"] == {"note": [text]}
    product = api.post("/api/products", {"sku": text, "name": text}, format="json")
    assert (product.json()["sku"], product.json()["name"]) == (text, text)
    service = {
        "id": "s",
        "customer_id": "a",
        "occurred_at": "2024-01-01",
        "subject": text,
        "message": text,
    }
    told = api.post("/api/service-interactions", service, format="json").json()
    assert (told["subject"], told["message"]) == (text, text)


def test_csv_returns_the_text_with_formulas_disarmed(api: APIClient) -> None:
    for number, text in enumerate(NASTY):
        make_customer(external_id=f"c{number:03}", city=text)

    answer = api.get("/api/customers?format=csv&ordering=id")
    rows = csv.DictReader(StringIO(b"".join(answer.streaming_content).decode(), newline=""))
    assert [row["city"] for row in rows] == [escape(text) for text in NASTY]


def test_imports_store_the_text_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "city"), *enumerate(NASTY, 1)])
    call_command("import_file", "customers", str(path), stdout=StringIO())

    cities = dict(Customer.objects.values_list("external_id", "city"))
    assert [cities[str(number)] for number in range(1, len(NASTY) + 1)] == NASTY


def test_the_admin_shows_and_saves_the_text(staff_client: Client) -> None:
    for text in NASTY:
        customer = make_customer(city=text)
        page = staff_client.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
        assert html.escape(text).replace("\r\n", "\n") in page.replace("\r\n", "\n"), text
