"""Refunds, cancellations and returns lower money, by whatever door they come, and add no order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from analytics.attribution.timeline_paths import PathQuery, paths
from analytics.commerce import cohorts, period
from analytics.commerce.sales import categories
from analytics.days import as_of
from analytics.lifetime.purchase_history import purchases
from crm.events import reader
from customers import segments
from customers.ingest import RejectedRows, file_type, load_file, sample
from customers.models import Customer, Interaction, Order, SegmentTrigger
from customers.timeline import types
from customers.tracking_api import keys
from tests.customers.test_collect import Source, track
from tests.customers.test_segment_incremental import make_segment
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

JANUARY = datetime(2026, 1, 5, 10, tzinfo=UTC)
ORDER = {
    "id": "o-1",
    "customer_id": "C-1",
    "amount": "80.00",
    "placed_at": JANUARY.isoformat(),
    "items": [
        {"product": "boots", "category": "Shoes", "price": "50"},
        {"product": "hat", "category": "Hats", "price": "30"},
    ],
}
BY = {"customer_id": "C-1"}


@pytest.fixture
def buyer(db: None) -> Customer:
    return make_customer(external_id="C-1", email="c1@example.com")


@pytest.fixture
def source() -> Source:
    return Source(keys.issue_key("shop")[1])


def matching(*conditions: dict[str, Any]) -> list[Customer]:
    return list(segments.matching({"operator": "AND", "conditions": list(conditions)}))


def send(api: APIClient, *orders: dict[str, Any]) -> None:
    for order in orders:
        answer = api.post("/api/orders", order, format="json")
        assert answer.status_code in (200, 201), answer.data


def figures(customer: Customer) -> tuple[Decimal, int, datetime | None]:
    customer.refresh_from_db()
    return customer.total_spend, customer.order_count, customer.last_order_at


@pytest.mark.parametrize(
    ("refund", "left"),
    [
        ({"id": "o-1", **BY, "amount": "-80.00"}, 0),
        ({"id": "o-1", **BY, "amount": "80.00", "status": "refunded"}, 0),
        ({"id": "o-1", **BY, "amount": "80.00", "status": "wc-cancelled"}, 0),
        ({"id": "o-1", **BY, "amount": "80.00", "financial_status": "voided"}, 0),
        ({"id": "o-1", "status": "Refunded"}, 0),
        ({"id": "o-1", **BY, "amount": "80.00", "cancelled_at": "2026-02-01T00:00:00Z"}, 0),
        ({"id": "r-1", "type": "refund", "refund_of": "o-1", "amount": "80.00"}, 0),
        ({"id": "r-1", "type": "return", "refund_of": "o-1"}, 0),
        ({"id": "r-1", **BY, "refund_of": "o-1", "amount": "-30.00"}, 50),
        ({"refund_of": "o-1", "amount": "30"}, 50),
        ({"id": "r-1", **BY, "amount": "-30.00"}, 50),
        ({"id": "r-1", **BY, "type": "Credit note", "amount": "30.00"}, 50),
        (
            {
                "id": "o-1",
                **BY,
                "amount": "80.00",
                "status": "partially_refunded",
                "refunded": "30",
            },
            50,
        ),
        ({"id": "o-1", **BY, "amount": "80.00", "refunded_amount": "30.00"}, 50),
        ({"id": "r-1", **BY, "items": [{"product": "hat", "quantity": -1, "price": 30}]}, 50),
        ({"id": "r-1", "refund_of": "o-1", "amount": "500"}, 0),
    ],
)
def test_each_form_lowers_the_money_and_moves_nothing(
    api: APIClient, buyer: Customer, refund: dict[str, Any], left: int
) -> None:
    send(api, ORDER)
    buyer.refresh_from_db()
    active_at = buyer.last_interaction_at

    send(api, refund, refund)

    assert figures(buyer) == (Decimal(left), 1, JANUARY)
    assert buyer.last_interaction_at == active_at
    assert api.get("/api/orders").data["count"] == 1
    assert api.get("/api/refunds").data["count"] == 1
    assert Order.objects.purchases().get().amount == 80
    assert Interaction.objects.filter(type=types.ORDER_PLACED).count() == 1


@pytest.mark.parametrize(
    ("calls", "left"),
    [
        ([("Order Refunded", {"total": 80.0})], 0),
        ([("Order Refunded", {})], 0),
        ([("Order Cancelled", {"total": 80})], 0),
        ([("Order Cancelled", {"products": [{"product_id": "hat", "price": 30}]})], 0),
        ([("order canceled", {})], 0),
        ([("Order Refunded", {"total": 30})], 50),
        (
            [("Order Refunded", {"products": [{"product_id": "hat", "quantity": 1, "price": 30}]})],
            50,
        ),
        ([("Order Refunded", {"products": [{"sku": "hat", "quantity": 1}]})], 50),
        ([("Order Refunded", {"total": 30}), ("Order Refunded", {"total": 20})], 30),
        ([("Order Refunded", {"total": 30, "refund_id": i}) for i in "ab"], 20),
        ([("Order Refunded", {"total": 30}), ("Order Cancelled", {})], 0),
        ([("Order Refunded", {"total": 80}), ("Order Refunded", {"revenue": 70})], 0),
    ],
)
def test_events_of_the_segment_spec_lower_the_money_once(
    api: APIClient, buyer: Customer, source: Source, calls: list[Any], left: int
) -> None:
    send(api, ORDER)

    for again in range(2):
        for number, (event, properties) in enumerate(calls):
            given = {"order_id": "o-1", **properties}
            source.send(track(event, userId="C-1", messageId=f"{again}-{number}", properties=given))

    assert figures(buyer) == (Decimal(left), 1, JANUARY)


def test_staff_record_a_refund_of_an_order(
    api: APIClient, buyer: Customer, staff_client: Client
) -> None:
    send(api, ORDER)
    order = Order.objects.get()
    url = reverse("admin:customers_order_refund", args=[order.pk])
    page = reverse("admin:customers_order_change", args=[order.pk])
    assert url in staff_client.get(page).content.decode()
    asked = staff_client.get(url)
    number = asked.context["form"]["number"].value()
    sent = {"confirmed": "yes", "number": number, "refunded_at": "2026-02-01 10:00", "reason": "torn"}  # fmt: skip
    for amount in ("80.01", "0", "-1", "NaN"):
        assert staff_client.post(url, {**sent, "amount": amount}).context["form"].errors
    assert staff_client.post(url, {**sent, "amount": "1", "refunded_at": "2999-01-01"}).context["form"].errors  # fmt: skip
    for _twice in range(2):
        staff_client.post(url, {**sent, "amount": "30"})
    refund = Order.objects.refunds().get()
    assert (refund.amount, refund.refund_of, refund.attributes) == (-30, order, {"reason": "torn"})
    assert refund.placed_at == datetime(2026, 2, 1, 10, tzinfo=UTC)
    assert figures(buyer) == (Decimal(50), 1, JANUARY)
    assert "torn" in staff_client.get(page).content.decode()
    staff_client.post(url, {**sent, "amount": "50", "number": "another"})
    assert figures(buyer) == (Decimal(0), 1, JANUARY)
    assert staff_client.get(reverse("admin:customers_order_refund", args=[refund.pk])).status_code in {403, 404}  # fmt: skip


def test_an_equal_refund_without_an_id_is_the_same_and_told(
    api: APIClient, buyer: Customer, source: Source, tmp_path: Path
) -> None:
    send(api, ORDER)
    part = {"refund_of": "o-1", **BY, "amount": "20"}
    notes = [api.post("/api/orders", part).json()["notes"] for _twice in range(2)]
    assert notes[0] == []
    assert "same refund" in notes[1][0]
    batch = api.post("/api/orders/batch", {"orders": [part, {**part, "id": "r-1"}]}).json()
    assert ["notes" in each for each in batch["results"]] == [True, False]

    for number, told in enumerate((False, True)):
        call = track(
            "Order Refunded",
            userId="C-1",
            messageId=f"m{number}",
            properties={"order_id": "o-1", "total": 10},
        )
        assert ("same refund" in source.send(call).content.decode()) is told
    assert not Interaction.objects.filter(type="Order Refunded").exists()
    assert figures(buyer) == (Decimal(50), 1, JANUARY)

    rows = "o-1,C-1,2026-01-06,refund,-15,noon\no-1,C-1,2026-01-06,refund,-15,\n"
    path = tmp_path / "orders.csv"
    path.write_text(f"order_id,customer_id,placed_at,type,order_amount,refunded_at\n{rows}")
    with RejectedRows(tmp_path / "rejected.csv") as rejected:
        kind = file_type("orders")
        mapping = kind.guess_mapping(sample(path).header)
        loaded = load_file(kind, path, mapping, rejected=rejected, evidence="t")
    assert (loaded.rows, loaded.rejected) == (2, 0)
    assert loaded.unread_cells == {"refunded_at": 1, "order_id": 1}
    assert "same refund" in (tmp_path / "rejected.csv").read_text()


def test_order_refund_and_cancellation_may_come_in_any_order(
    api: APIClient, buyer: Customer
) -> None:
    parts = [
        lambda order: {**ORDER, "id": order},
        lambda order: {"id": f"{order}-r", **BY, "refund_of": order, "amount": "-30"},
        lambda order: {"id": order, **BY, "status": "cancelled"},
    ]
    for number, ways in enumerate(permutations(parts)):
        send(api, *(part(f"o-{number}") for part in ways))

    rows = Order.objects.purchases()
    assert [(each.amount, each.refunded, each.net) for each in rows] == [(80, 80, 0)] * 6
    assert figures(buyer)[:2] == (0, 6)


def test_a_refund_of_an_unknown_order_waits_for_it(api: APIClient, buyer: Customer) -> None:
    send(api, {"id": "r-1", **BY, "refund_of": "o-1", "amount": "-30"})
    assert figures(buyer) == (Decimal(-30), 0, None)
    assert api.get("/api/refunds?is_matched=false").data["count"] == 1

    send(api, ORDER)

    assert figures(buyer) == (Decimal(50), 1, JANUARY)
    assert api.get("/api/refunds?is_matched=true").data["count"] == 1


def test_a_refund_of_nobody_and_nothing_is_refused(api: APIClient, buyer: Customer) -> None:
    refused = [
        {"id": "r-1", "refund_of": "o-9", "amount": "-30"},
        {"id": "o-1", **BY, "amount": "1", "status": "quarantined"},
        {"id": "o-1", **BY, "amount": "1", "type": "wibble"},
        {"id": "o-1", **BY, "amount": "1", "status": "failed"},
        {"id": "o-1", **BY, "amount": "1", "status": "partially_refunded"},
    ]
    for order in refused:
        assert api.post("/api/orders", order, format="json").status_code == 400, order
    assert not Order.objects.exists()


def test_figures_of_all_rooms_agree(api: APIClient, buyer: Customer) -> None:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = max(timezone.now() - timedelta(hours=2), midnight)
    make_customer(external_id="C-2")
    whole = {**ORDER, "placed_at": today.isoformat()}
    send(api, whole, {"id": "r", "refund_of": "o-1", "items": [{"product": "hat", "price": 30}]})
    send(api, {**whole, "id": "o-2"}, {"id": "o-2", "status": "refunded"})
    send(api, {"id": "loose", **BY, "amount": "-7", "placed_at": today.isoformat()})

    assert figures(buyer) == (Decimal(43), 2, today)
    assert buyer.average_order_value == Decimal("21.50")
    sales = period(as_of()).now
    assert (sales.revenue, sales.orders) == (Decimal(43), 2)
    sold = {each.name: (each.revenue, each.orders) for each in categories(as_of(), as_of())}
    assert sold == {"Shoes": (50, 2), "Hats": (0, 2)}
    assert cohorts(as_of())[0].revenue == [50]
    assert list(purchases(as_of()).history.repeats) == [0]
    [path] = paths(PathQuery(today - timedelta(days=1), timezone.now(), timedelta(days=30)))
    assert (path.conversions, path.value) == (2, 50)
    spent = {"event": "order_placed", "aggregate": "sum:amount", "value": 43}
    assert matching({**spent, "operator": "="}) == [buyer]
    twice = {"event": "order_placed", "operator": "=", "value": 2}
    assert matching(twice) == [buyer]
    on_hats = {
        **spent,
        "value": 0,
        "where": [{"field": "category", "operator": "=", "value": "Hats"}],
    }
    assert not matching({**on_hats, "operator": ">"})
    whole_order = [{"field": "amount", "operator": ">", "value": 40}]
    once = {"event": "order_placed", "operator": "=", "value": 1, "where": whole_order}
    assert matching(once) == [buyer]


@pytest.mark.django_db(transaction=True)
def test_nothing_that_waits_for_an_order_starts(api: APIClient, buyer: Customer) -> None:
    segment = make_segment("bought", kind="static")
    SegmentTrigger.objects.create(segment=segment, event="order_placed", where=[], action="add")
    now = timezone.now().isoformat()
    send(api, {**ORDER, "placed_at": now, "status": "cancelled"})
    send(api, {"id": "loose", **BY, "amount": "-5"})
    reader.drain_all()
    assert not segment.memberships.exists()

    send(api, {**ORDER, "id": "o-2", "placed_at": now})
    reader.drain_all()
    assert segment.memberships.exists()


def test_a_refund_is_an_event_of_its_own(api: APIClient, buyer: Customer) -> None:
    send(
        api,
        ORDER,
        {"id": "r", "refund_of": "o-1", "amount": "-30"},
        {"id": "o-1", "status": "cancelled"},
    )

    events = {row.type: row.properties for row in Interaction.objects.all()}
    assert set(events) == {types.ORDER_PLACED, types.ORDER_REFUNDED, types.ORDER_CANCELLED}
    refund = events[types.ORDER_REFUNDED]
    assert (refund["order"], refund["amount"], refund["net"]) == ("o-1", "30.00", "30.00")
    gave_back = {"event": "order_refunded", "aggregate": "sum:amount", "operator": "=", "value": 30}
    assert matching(gave_back) == [buyer]


def load(path: Path, text: str, **options: Any) -> Any:
    path.write_text(text)
    kind = file_type("orders")
    mapping = kind.guess_mapping(sample(path).header)
    with RejectedRows(path.with_suffix(".rejected")) as rejected:
        return load_file(
            kind, path, mapping, rejected=rejected, evidence="test", create_missing=True, **options
        )


@pytest.mark.parametrize(
    "rows",
    [
        "order_id,customer_id,placed_at,order_amount\no-1,C-1,2026-01-05,80\no-1,C-1,2026-02-01,-30\n",
        "order_id,customer_id,placed_at,order_amount\no-1,C-1,2026-01-05,80\nC536379,C-1,2026-02-01,-30\n",
        "order_id,customer_id,placed_at,amount,quantity\no-1,C-1,2026-01-05,80,1\nC536379,C-1,2026-02-01,-30,-1\n",
        "order_id,customer_id,placed_at,order_amount,type,refund_of\nr,C-1,2026-02-01,30,Refund,o-1\no-1,C-1,2026-01-05,80,Sale,\n",
        "Order Number,Customer,Date,Order Total,Order Status,Order Refund Amount\no-1,C-1,2026-01-05,80,Completed,30\n",
        "Name,Email,Financial Status,Created at,Order Total,Refunded Amount\n#1,c1@example.com,partially_refunded,2026-01-05,80,30\n",
    ],
)
@pytest.mark.django_db(transaction=True)
def test_files_say_it_in_their_ways(tmp_path: Path, rows: str, buyer: Customer) -> None:
    for _again in range(2):
        text = rows.replace("Name,", "order_id,")
        loaded = load(tmp_path / "orders.csv", text.replace("\n#1", "\no-1"))
        assert loaded.rejected == 0

    spend, orders, last = figures(buyer)
    assert (spend, orders) == (Decimal(50), 1)
    assert last is not None
    assert last.month == 1


UCI = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,C-1,United Kingdom
536365,71053,LANTERN,6,12/1/2010 8:26,3.39,C-1,United Kingdom
C536383,35004C,FLYING DUCKS,-1,12/13/2010 9:49,4.65,C-1,United Kingdom
C536391,22556,PLASTERS,-12,12/13/2010 10:24,0,C-1,United Kingdom
"""
"""As the Online Retail data set writes them (https://archive.ics.uci.edu/dataset/352/online+retail)."""


@pytest.mark.django_db(transaction=True)
def test_cancellations_of_online_retail_add_no_order(tmp_path: Path, buyer: Customer) -> None:
    for _again in range(2):
        assert load(tmp_path / "retail.csv", UCI).rejected == 0

    spend, orders, last = figures(buyer)
    assert (spend, orders) == (Decimal("35.64") - Decimal("4.65"), 1)
    assert last is not None
    assert last.day == 1
    assert Order.objects.refunds().count() == 2
