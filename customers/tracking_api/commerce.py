"""E-commerce events → orders (https://segment.com/docs/connections/spec/ecommerce/v2/).

"Order Completed" and "Order Updated" are an order with its lines; "Order Refunded" and "Order Cancelled" one with a negative amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from crm.api import ids
from customers import clean
from customers.ingest import Line, Refused, clean_line, clean_product, staging, upsert_products
from customers.models import Order
from customers.tracking_api.calls import Call

BOUGHT = frozenset({"order completed", "order updated"})
GAVE_BACK = frozenset({"order refunded", "order cancelled", "order canceled"})
AMOUNTS = ("total", "revenue", "value", "subtotal")
"""Properties with the amount of an order, the most complete first: with shipping and taxes, without, without discounts."""


class EventOrder(NamedTuple):
    message: Call
    order_id: str
    lines: list[Line]
    products: list[dict[str, Any]]


class KnownOrder(NamedTuple):
    amount: Decimal
    placed_at: datetime


def is_order(event: str) -> bool:
    return event.lower() in BOUGHT or event.lower() in GAVE_BACK


def record_orders(messages: Sequence[tuple[Call, int]]) -> list[tuple[Call, Refused]]:
    """Write the orders in calls, each with its customer; returns calls without a valid order, with the reason."""
    refused: list[tuple[Call, Refused]] = []
    # purchases first, so that a refund finds its order
    for events in (BOUGHT, GAVE_BACK):
        chosen = [each for each in messages if each[0].name.lower() in events]
        known = _known(message for message, _customer in chosen)
        orders = []
        for message, customer in chosen:
            try:
                orders.append(_read(message, customer, known))
            except Refused as error:
                refused.append((message, error))
        refused += _write(orders)
    return refused


def _write(orders: Iterable[EventOrder]) -> list[tuple[Call, Refused]]:
    by_id = {order.order_id: order for order in orders}
    if not by_id:
        return []
    if products := [product for order in by_id.values() for product in order.products]:
        upsert_products(products)
    lines = (line for order in by_id.values() for line in order.lines)
    with staging() as staged:
        staged.add([line._replace(line=number) for number, line in enumerate(lines, 1)])
        staged.assemble(create_missing=False, evidence="")
        staged.write()
        results = staged.results()
    return [
        (by_id[order_id].message, Refused(result.reason))
        for order_id, result in results.items()
        if result.pk is None
    ]


def _read(message: Call, customer: int, known: Mapping[str, KnownOrder]) -> EventOrder:
    given = message.content
    order_id = _order_id(given)
    before = known.get(order_id)
    sign, placed_at = 1, before.placed_at if before else message.at
    parts = [_part(item, place) for place, item in enumerate(_items(given))]
    amount = next((given[name] for name in AMOUNTS if given.get(name) not in (None, "")), None)
    if message.name.lower() in GAVE_BACK:
        sign, placed_at = -1, message.at
        if amount is None and not parts and before:
            amount = before.amount
        order_id = _refund_id(message, order_id, partly=bool(parts))
    if amount is None and not any("amount" in fields for fields, _product in parts):
        raise Refused(_("Send the total, the revenue, or products with prices."), "total")
    header = {
        "order_id": order_id,
        "customer_id": ids.encode("cus", customer),
        "placed_at": placed_at.isoformat(),
        "store": given.get("affiliation"),
        "currency": given.get("currency"),
        "order_amount": None if amount is None else sign * abs(_amount(amount, "total")),
        "attributes": _more(given),
    }
    discount = {"discount": given.get("discount")} if sign > 0 else {}
    lines = [
        clean_line(0, header | _signed(fields, sign) | (discount if place == 0 else {}))
        for place, (fields, _product) in enumerate(parts or [({}, None)])
    ]
    products = [clean_product(product) for _fields, product in parts if product]
    return EventOrder(message, lines[0].order_id, lines, products)


def _order_id(given: Mapping[str, Any]) -> str:
    order_id = given.get("order_id") or given.get("orderId")
    if not isinstance(order_id, str | int) or not str(order_id).strip():
        raise Refused(_("is missing."), "order_id")
    return str(order_id).strip()


def _refund_id(message: Call, order_id: str, *, partly: bool) -> str:
    """Return the id of a refund: one for a whole order, however often it is sent, and one a call for parts."""
    given = message.content.get("refund_id")
    if given:
        return str(given)
    if not partly:
        return f"{order_id}-refund"
    return f"{order_id}-refund-{message.message_id or message.at.isoformat()}"


def _items(given: Mapping[str, Any]) -> list[Any]:
    items = given.get("products") or []
    if not isinstance(items, list):
        raise Refused(_("Send a list."), "products")
    return items


def _part(item: Any, place: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the fields of an order line, and the product for the catalogue."""
    path = f"products[{place}]"
    if not isinstance(item, Mapping):
        raise Refused(_("Send an object."), path)
    sku = item.get("sku") or item.get("product_id") or item.get("id")
    name = item.get("name") or item.get("title")
    if not sku and not name:
        raise Refused(_("Give a sku or a name."), path)
    try:
        quantity = clean.quantity(item["quantity"]) if item.get("quantity") not in (None, "") else 1
        fields: dict[str, Any] = {"sku": sku or name, "name": name or sku, "quantity": quantity}
        if item.get("price") not in (None, ""):
            fields["amount"] = quantity * clean.amount(item["price"])
    except ValueError as error:
        raise Refused(str(error), path) from error
    return fields, {"sku": sku or name, "name": name, "price": item.get("price")} | {
        part: item.get(part) for part in ("category", "brand")
    }


def _signed(fields: dict[str, Any], sign: int) -> dict[str, Any]:
    if sign > 0:
        return fields
    return fields | {name: -fields[name] for name in ("quantity", "amount") if name in fields}


def _amount(value: object, field: str) -> Decimal:
    try:
        return clean.amount(value)
    except ValueError as error:
        raise Refused(str(error), field) from error


def _more(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return other properties of the order as its attributes."""
    return {
        name: given[name]
        for name in ("coupon", "shipping", "tax", "checkout_id")
        if given.get(name)
    }


def _known(messages: Iterable[Call]) -> dict[str, KnownOrder]:
    order_ids = [str(message.content.get("order_id") or "") for message in messages]
    found = Order.objects.filter(external_id__in=order_ids).values_list(
        "external_id", "amount", "placed_at"
    )
    if not order_ids:
        return {}
    return {order_id: KnownOrder(amount, placed_at) for order_id, amount, placed_at in found}
