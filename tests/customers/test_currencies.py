"""Amounts in other currencies count by the rate of their day, and wait where there is none. Shops share no order ids."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from analytics.commerce.sales import months
from customers import order_money
from customers.ingest import RejectedRows, file_type, load_file, sample
from customers.models import Customer, ExchangeRate, Order
from tests.customers.test_refunds import figures, load, matching
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

ECB = "Date, USD, JPY, BGN, TRY, \n2024-05-03,1.0800,162.00,1.9558,N/A,\n2024-05-02,1.0700,160.50,1.9558,34.50,\n"
DAILY = "Date, USD, JPY, \n03 May 2024, 1.0800, 162.00, \n"
SERIES = (
    "KEY,CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE\n"
    "EXR.D.USD.EUR.SP00.A,USD,EUR,2024-05-03,1.08\nEXR.D.JPY.EUR.SP00.A,JPY,EUR,2024-05-03,162\n"
)


@pytest.fixture
def buyer(db: None) -> Customer:
    return make_customer(external_id="C-1", email="c1@example.com")


def bought(
    api: APIClient, amount: str, currency: str, day: str = "2024-05-03", **more: Any
) -> None:
    given = {"id": f"{currency}-{amount}-{day}", "customer_id": "C-1", "amount": amount}
    placed = {"currency": currency, "placed_at": f"{day}T12:00:00Z", "items": ["x"]}
    answer = api.post("/api/orders", given | placed | more, format="json")
    assert answer.status_code in (200, 201), answer.data


def load_rates(path: Path, text: str) -> Any:
    path.write_text(text)
    kind = file_type("exchange_rates")
    with RejectedRows(path.with_suffix(".rejected")) as rejected:
        mapping = kind.guess_mapping(sample(path).header)
        return load_file(kind, path, mapping, rejected=rejected, evidence="test")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("file", [ECB, DAILY, SERIES])
def test_money_waits_for_a_rate_and_then_takes_part(
    api: APIClient, buyer: Customer, tmp_path: Path, file: str
) -> None:
    bought(api, "10.00", "USD")
    bought(api, "15000", "JPY")
    bought(api, "1500000", "IDR")
    assert figures(buyer)[:2] == (Decimal(10), 3)
    assert api.get("/api/orders?waits_for_rate=true").data["count"] == 2

    assert load_rates(tmp_path / "eurofxref.csv", file).rejected == 0

    assert figures(buyer)[:2] == (Decimal(110), 3)
    waiting = api.get("/api/orders?waits_for_rate=true").data["results"]
    assert [each["currency"] for each in waiting] == ["IDR"]
    assert months(date(2024, 5, 3), 1)[0].revenue == 110
    spent = {"event": "order_placed", "aggregate": "sum:amount", "operator": "=", "value": 110}
    assert matching(spent) == [buyer]
    assert load_rates(tmp_path / "eurofxref.csv", file).created == 0


def test_a_day_without_a_rate_takes_the_last_of_a_week(api: APIClient, buyer: Customer) -> None:
    rate = {"date": "2024-05-03", "base": "EUR", "currency": "USD", "rate": "1.10"}
    assert api.post("/api/exchange-rates", rate, format="json").status_code == 201
    for day in ("2024-05-02", "2024-05-03", "2024-05-05", "2024-05-11"):
        bought(api, "100", "EUR", day)

    nets = dict(Order.objects.values_list("placed_at__date", "net"))
    assert list(nets.values()).count(Decimal(110)) == 2
    assert figures(buyer)[0] == Decimal(220)
    assert api.get("/api/exchange-rates").data["count"] == 1


def test_a_corrected_rate_corrects_the_money(api: APIClient, buyer: Customer) -> None:
    bought(api, "100", "EUR")
    for rate in ("1.10", "1.20"):
        body = {"day": "2024-05-03", "base": "USD", "currency": "EUR", "rate": str(1 / float(rate))}
        assert api.post("/api/exchange-rates", body, format="json").status_code == 201
        assert figures(buyer)[0] == Decimal(rate) * 100

    bad = [{**body, "rate": "0"}, {**body, "rate": "x"}, {**body, "base": "€"}, {"rate": "1"}]
    answer = api.post("/api/exchange-rates/batch", {"rates": bad}, format="json")
    assert (answer.status_code, answer.data["failed"]) == (207, 4)


def test_a_refund_takes_its_orders_currency_and_rate(api: APIClient, buyer: Customer) -> None:
    rates = [
        {"day": f"2024-05-0{n}", "base": "EUR", "currency": "USD", "rate": f"1.{n}"} for n in (2, 3)
    ]
    assert api.post("/api/exchange-rates/batch", {"rates": rates}, format="json").status_code == 200
    bought(api, "100", "EUR", "2024-05-02", id="o")
    assert figures(buyer)[0] == 120

    api.post("/api/orders", {"id": "r", "refund_of": "o", "amount": "-50"}, format="json")
    assert figures(buyer)[0] == 60
    refund = {"id": "r2", "refund_of": "o", "amount": "65", "currency": "USD"}
    api.post("/api/orders", refund | {"refunded_at": "2024-05-03T12:00:00Z"}, format="json")
    assert figures(buyer)[0] == 0


def test_another_site_currency_converts_all_again(
    api: APIClient, buyer: Customer, settings: Any
) -> None:
    rate = {"day": "2024-05-03", "base": "EUR", "currency": "USD", "rate": "1.25"}
    api.post("/api/exchange-rates", rate, format="json")
    bought(api, "100", "USD")
    settings.CURRENCY = "EUR"

    order_money.convert_orders()

    assert figures(buyer)[0] == 80
    assert ExchangeRate.objects.exclude(base="EUR").count() == 0


SHOP_A = "order_id,customer_id,placed_at,store,currency,order_amount\n#2001,C-1,2024-05-01,shop-us,USD,100.00\n"
SHOP_B = SHOP_A.replace("C-1,2024-05-01,shop-us", "C-2,2024-06-01,shop-de").replace("100", "20")


@pytest.mark.django_db(transaction=True)
def test_orders_of_two_shops_do_not_collide(
    api: APIClient, buyer: Customer, tmp_path: Path
) -> None:
    other = make_customer(external_id="C-2", email="c2@example.com")
    for _again in range(2):
        for text in (SHOP_A, SHOP_B, SHOP_A + SHOP_B.splitlines()[1] + "\n"):
            assert load(tmp_path / "orders.csv", text).rejected == 0

    assert (figures(buyer)[:2], figures(other)[:2]) == ((100, 1), (20, 1))
    assert api.get("/api/orders/%232001").status_code == 400
    assert api.get("/api/orders/%232001?store=shop-de").data["amount"] == "20.00"


@pytest.mark.django_db(transaction=True)
def test_an_import_gives_its_store(buyer: Customer, tmp_path: Path) -> None:
    other = make_customer(external_id="C-2", email="c2@example.com")
    for text, store in ((SHOP_A, "us"), (SHOP_B, "de")):
        bare = text.replace("store,", "").replace("shop-us,", "").replace("shop-de,", "")
        assert load(tmp_path / "orders.csv", bare, store=store).rejected == 0
    assert (figures(buyer)[:2], figures(other)[:2]) == ((100, 1), (20, 1))

    assert load(tmp_path / "orders.csv", bare).rejected == 0  # the same customer and time
    stolen = bare.replace("C-2", "C-1")
    assert load(tmp_path / "orders.csv", stolen, store="de").rejected == 1
    assert Order.objects.count() == 2


def test_an_order_never_changes_its_customer_in_silence(api: APIClient, buyer: Customer) -> None:
    make_customer(external_id="C-2")
    for customer, status in (("C-1", 201), ("C-2", 400), ("c1@example.com", 200)):
        order = {"id": "2001", "customer_id": customer, "amount": "5"}
        assert api.post("/api/orders", order, format="json").status_code == status
    both = [{"id": "3", "customer_id": f"C-{n}", "amount": 1, "source": f"s{n}"} for n in (1, 2)]
    assert api.post("/api/orders/batch", {"orders": both}, format="json").data["created"] == 2


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("€20.00", "EUR"),
        ("20,00 €", "EUR"),
        ("GBP 20.00", "GBP"),
        ("20.00 zł", "PLN"),
        ("R$ 20.00", "BRL"),
        ("$20.00", "USD"),
        ("US$20.00", "USD"),
        ("20.00", "USD"),
    ],
)
def test_a_mark_beside_an_amount_is_its_currency(
    tmp_path: Path, amount: str, currency: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        f'order_id,customer_id,placed_at,amount\no-1,c-1,2024-05-01,"{amount}"\no-2,c-1,2024-05-01,1.00\n'
    )
    call_command("import_file", "orders", str(path), "--create-missing", stdout=StringIO())
    order = Order.objects.get(external_id="o-1")
    assert (order.currency, order.amount) == (currency, 20)
    assert Customer.objects.get().total_spend == (21 if currency == "USD" else 1)


@pytest.mark.parametrize("amount", ["20.00 kr", "¥20", "20 QQQ", "20 PCS"])
def test_an_unclear_mark_rejects_an_order(tmp_path: Path, amount: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"order_id,customer_id,placed_at,amount\no-1,c-1,2024-05-01,{amount}\n")
    printed = StringIO()
    call_command("import_file", "orders", str(path), "--create-missing", stdout=printed)
    assert "1 rows rejected" in printed.getvalue()
    assert not Order.objects.exists()


def test_a_mark_contradicting_the_currency_is_refused(api: APIClient) -> None:
    order = {"id": "o", "customer_id": "c", "amount": "€20", "create_missing": True}
    assert api.post("/api/orders", order | {"currency": "GBP"}, format="json").status_code == 400
    assert api.post("/api/orders", order | {"currency": "EUR"}, format="json").status_code == 201
    assert Order.objects.get().currency == "EUR"


def test_spend_in_another_currency_is_set_aside(api: APIClient) -> None:
    answer = api.post("/api/customers", {"id": "c", "totalSpends": "€20"}, format="json")
    assert answer.status_code == 400
    assert "EUR" in answer.content.decode()
