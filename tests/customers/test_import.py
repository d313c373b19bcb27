"""The import command reads customers, orders and consent from files."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from crm.events.models import MarketingEvent
from customers.models import Customer, Interaction, Order, OrderLine, Product

pytestmark = pytest.mark.django_db

CUSTOMERS = """external_id,email,registered_at,income
h-1,h-1@example.org,2017-01-07T18:55:24Z,35-49K
h-2,h-2@example.org,2017-01-08T18:55:24Z,
"""
PRODUCTS = """sku,department,category,name,brand,package_size
1,GROCERY,ICE,CRUSHED ICE,National,22 LB
2,GROCERY,,,National,
"""
LINES = """order_id,customer_id,placed_at,store_id,sku,quantity,amount,coupon_discount
o1,h-1,2017-01-01T11:53:26Z,330,1,1,0.10,0.0
o1,h-1,2017-01-01T11:53:26Z,330,2,2,0.20,0.05
o2,h-1,2017-03-01T10:00:00Z,330,1,1,5,0
o3,h-2,2017-02-01T10:00:00Z,31,9,1,2.220446049250313e-16,0
"""


def run_import(folder: Path, kind: str, text: str | bytes, *options: str) -> str:
    path = folder / f"{kind}.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    said = StringIO()
    call_command("import_file", kind, str(path), *options, stdout=said)
    return said.getvalue()


def everything() -> list[list[dict[str, Any]]]:
    models = (Customer, Product, Order, OrderLine, Interaction, MarketingEvent)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    run_import(tmp_path, "customers", CUSTOMERS)
    run_import(tmp_path, "products", PRODUCTS)
    run_import(tmp_path, "orders", LINES)
    return tmp_path


@pytest.mark.usefixtures("shop")
def test_totals_of_customers_agree_with_the_file() -> None:
    one, two = Customer.objects.order_by("external_id")

    assert (one.total_spend, one.order_count, one.average_order_value) == (
        Decimal("5.30"),
        2,
        Decimal("2.65"),
    )
    assert one.first_order_at == datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC)
    assert one.last_order_at == datetime(2017, 3, 1, 10, 0, tzinfo=UTC)
    assert (two.total_spend, two.order_count) == (Decimal(0), 1)
    assert one.attributes == {"income": "35-49K"}


@pytest.mark.usefixtures("shop")
def test_lines_of_one_order_are_combined() -> None:
    order = Order.objects.get(external_id="o1")

    assert (order.amount, order.discount, order.store) == (Decimal("0.30"), Decimal("0.05"), "330")
    assert [str(line.product) for line in order.lines.order_by("position")] == ["CRUSHED ICE", "2"]


def test_a_second_import_changes_nothing(shop: Path) -> None:
    before = everything()

    assert "0 updated, 2 unchanged" in run_import(shop, "customers", CUSTOMERS)
    assert "0 updated, 2 unchanged" in run_import(shop, "products", PRODUCTS)
    assert "0 orders created, 0 updated, 3 unchanged" in run_import(shop, "orders", LINES)
    assert everything() == before


def test_a_changed_line_replaces_its_order_and_updates_totals(shop: Path) -> None:
    run_import(shop, "orders", LINES.replace("330,1,1,5,0", "330,1,1,7.50,0"))

    assert Customer.objects.get(external_id="h-1").total_spend == Decimal("7.80")


def test_a_column_is_mapped_by_hand(tmp_path: Path) -> None:
    text = "Kundennummer;Ort;Note\nk1;Köln;A\n"
    options = ["--map", "Kundennummer=external_id", "--map", "Ort=city", "--map", "Note="]
    run_import(tmp_path, "customers", text, *options)

    customer = Customer.objects.get()
    assert (customer.external_id, customer.city, customer.attributes) == ("k1", "Köln", {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_it_detects_encodings_and_separators(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = f"id{delimiter}city\r\nk1{delimiter}Münster\r\n"
    run_import(tmp_path, "customers", text.encode(encoding))

    assert Customer.objects.get().city == "Münster"


def test_a_gzipped_file_is_read_as_it_is(tmp_path: Path) -> None:
    assert "2 customers created" in run_import(
        tmp_path, "customers", gzip.compress(CUSTOMERS.encode())
    )


def test_rejected_rows_can_be_corrected_and_imported(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    text = "id,email,registered_at\na,a@example.com,2024-01-01\nb,no address,2024-01-01\nc,c@example.com,soon\n"

    said = run_import(tmp_path, "customers", text)

    assert "2 customers created" in said
    assert "1 rows rejected" in said
    assert "Cells that could not be used (registered_at: 1)" in said
    path = settings.MEDIA_ROOT / "imports" / "customers.csv-rejected.csv"
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert [(row["id"], row["rejected_line"]) for row in rows] == [("b", "3"), ("c", "4")]
    assert "no address" in rows[0]["rejected_reason"]
    assert "imported, but: registered_at: “soon”" in rows[1]["rejected_reason"]
    assert Customer.objects.get(external_id="c").attributes == {"registered_at": "soon"}
    mended = path.read_text().replace("no address", "b@example.com").replace("soon", "2024-01-02")
    run_import(tmp_path, "customers", mended)
    assert sorted(Customer.objects.values_list("external_id", "attributes")) == [
        ("a", {}),
        ("b", {}),
        ("c", {"registered_at": "soon"}),
    ]
    assert not Customer.objects.filter(registered_at=None).exists()


def test_an_invalid_line_rejects_its_whole_order(shop: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = shop / "media"
    text = (
        LINES.splitlines()[0] + "\nn1,h-1,2017-01-01,330,1,1,1,0\nn1,h-1,2017-01-01,330,2,1,ten,0\n"
    )

    assert "2 rows rejected" in run_import(shop, "orders", text)
    assert not Order.objects.filter(external_id="n1").exists()


def test_orders_of_unknown_customers_reject_or_create(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"

    assert "4 rows rejected" in run_import(tmp_path, "orders", LINES)
    assert "3 orders created" in run_import(tmp_path, "orders", LINES, "--create-missing")
    assert Customer.objects.count() == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        ("\x00id,b\n1,2\n", "not a header"),
        ("name\nAda\n", "No column is mapped to external_id or email"),
        ('id,city\n1,"never closed' + "x" * 40_000_000, "a quote is never closed"),
    ],
    ids=["empty", "no header", "unmapped", "open quote"],
)
def test_a_file_without_a_table_gets_one_clear_error(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        run_import(tmp_path, "customers", text)


def test_a_cell_of_ten_megabytes_is_left_out_and_listed(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    text = "id,city\na," + "x" * 10_000_000 + "\nb,Rome\n"

    said = run_import(tmp_path, "customers", text)
    assert "2 customers created" in said
    assert "(city: 1)" in said


def test_consent_comes_with_the_file_once(tmp_path: Path) -> None:
    text = "id,email,opt_in\na,a@example.com,yes\nb,b@example.com,no\nc,c@example.com,\n"
    run_import(tmp_path, "customers", text)
    run_import(tmp_path, "customers", text)

    consents = Customer.objects.order_by("external_id").values_list(
        "external_id", "consents__decision"
    )
    assert list(consents) == [("a", "opted_in"), ("b", "opted_out"), ("c", None)]
