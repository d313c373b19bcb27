"""E-commerce events → orders (https://segment.com/docs/connections/spec/ecommerce/v2/).

"Order Completed" and "Order Updated" are an order with its lines; "Order Refunded", "Order Returned" and "Order Cancelled" take back a
part of one, or all of it where they give no amount. The same refund sent again is known by its refund_id or, without one, by its content.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from crm.api import ids
from customers import clean
from customers.ingest import (
    Line,
    Outcome,
    Refused,
    SameRefund,
    clean_lines,
    clean_product,
    upsert_products,
    write_orders,
)
from customers.models import Order, OrderLine
from customers.tracking_api.calls import Call

BOUGHT = frozenset({"order completed", "order updated"})
GAVE_BACK = {
    "order refunded": Order.Kind.REFUND,
    "order returned": Order.Kind.RETURN,
    "order cancelled": Order.Kind.CANCELLATION,
    "order canceled": Order.Kind.CANCELLATION,
}
AMOUNTS = ("total", "revenue", "value", "subtotal")
"""Properties with the amount of an order, the most complete first: with shipping and taxes, without, without discounts."""


class EventOrder(NamedTuple):
    message: Call
    lines: list[Line]
    products: list[dict[str, Any]]
    is_known_by_content: bool


def is_order(event: str) -> bool:
    return event.lower() in BOUGHT or event.lower() in GAVE_BACK


def record_orders(messages: Sequence[tuple[Call, int]]) -> list[tuple[Call, Refused]]:
    """Write the orders in calls, each with its customer; returns calls without a valid order, with the reason.

    A refund that is known by its content and was written before is returned with SameRefund.
    """
    refused: list[tuple[Call, Refused]] = []
    # purchases first, so that a refund finds its order
    for events in (BOUGHT, GAVE_BACK):
        orders = []
        for message, customer in messages:
            if message.name.lower() in events:
                try:
                    orders.append(_read(message, customer))
                except Refused as error:
                    refused.append((message, error))
        refused += _write(orders)
    return refused


def _write(orders: Iterable[EventOrder]) -> list[tuple[Call, Refused]]:
    """Write orders, of two with one id, store and customer the later."""
    by_key: dict[tuple[str, ...], EventOrder] = {}
    same = []
    for order in orders:
        first = order.lines[0]
        key = (first.customer, first.store, first.order_id, first.kind)
        if order.is_known_by_content and key in by_key:
            same.append(order)
        by_key[key] = order
    latest = by_key.values()
    if not latest:
        return []
    if products := [product for order in latest for product in order.products]:
        upsert_products(products)
    refused = []
    for order, result in zip(latest, write_orders([each.lines for each in latest]), strict=True):
        if result.pk is None:
            refused.append((order.message, Refused(result.reason)))
        elif order.is_known_by_content and result.outcome is Outcome.UNCHANGED:
            same.append(order)
    return [*refused, *((order.message, SameRefund("refund_id")) for order in same)]


def _read(message: Call, customer: int) -> EventOrder:
    given, kind = message.content, GAVE_BACK.get(message.name.lower())
    order_id, items = _order_id(given), _items(given)
    parts = [_part(item, place) for place, item in enumerate(items)]
    amount = next((given[name] for name in AMOUNTS if given.get(name) not in (None, "")), None)
    if kind == Order.Kind.CANCELLATION:
        amount, parts = None, []  # of the whole order, whatever its properties repeat
    elif kind and amount is None:
        _price(order_id, parts)
    elif amount is None and not any("amount" in fields for fields, _product in parts):
        raise Refused(_("Send the total, the revenue, or products with prices."), "total")
    header = {
        "order_id": _refund_id(given, order_id, amount, items) if kind else order_id,
        "refund_of": order_id if kind else None,
        "type": kind,
        "customer_id": ids.encode("cus", customer),
        "store": given.get("affiliation") or given.get("store"),
        "currency": given.get("currency"),
        "order_amount": None if amount is None else abs(_amount(amount, "total")),
        "attributes": _more(given),
    }
    discount = {} if kind else {"discount": given.get("discount")}
    lines = [
        line
        for place, (fields, _product) in enumerate(parts or [({}, None)])
        for line in clean_lines(0, header | fields | (discount if place == 0 else {}), message.at)
    ]
    products = [clean_product(product) for _fields, product in parts if product]
    is_part = amount is not None or bool(items)
    is_known_by_content = bool(kind) and is_part and not _own_refund_id(given)
    return EventOrder(message, lines, products, is_known_by_content)


def _order_id(given: Mapping[str, Any]) -> str:
    order_id = given.get("order_id") or given.get("orderId")
    if not isinstance(order_id, str | int) or not str(order_id).strip():
        raise Refused(_("is missing."), "order_id")
    return str(order_id).strip()


def _refund_id(
    given: Mapping[str, Any], order_id: str, amount: object, items: Sequence[object]
) -> str:
    """Return the id of a refund: its own, the id of the order for a whole refund, else a digest of its content."""
    if refund_id := _own_refund_id(given):
        return str(refund_id)
    if amount is None and not items:
        return order_id
    content = json.dumps([str(amount), items], sort_keys=True, default=str)
    return f"{order_id[:180]}~{sha256(content.encode()).hexdigest()[:16]}"


def _own_refund_id(given: Mapping[str, Any]) -> object:
    return given.get("refund_id") or given.get("refundId")


def _price(order_id: str, parts: Sequence[tuple[dict[str, Any], Any]]) -> None:
    """Give refunded products without a price what the order's line of the product cost. Raises Refused if none of them did."""
    unpriced = [fields for fields, _product in parts if "amount" not in fields]
    if not unpriced:
        return
    lines = OrderLine.objects.filter(
        order__kind=Order.Kind.ORDER, order__external_id=order_id, quantity__gt=0
    )
    prices = {
        sku: amount / quantity
        for sku, amount, quantity in lines.values_list("product__sku", "amount", "quantity")
    }
    for fields in unpriced:
        if fields["sku"] not in prices:
            raise Refused(_("Send the total, the revenue, or products with prices."), "total")
        fields["amount"] = (prices[fields["sku"]] * fields["quantity"]).quantize(Decimal("0.01"))


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
