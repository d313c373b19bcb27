"""Turn orders of the API into lines for the ingest path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from customers import clean
from customers.ingest import (
    Line,
    OrderResult,
    Outcome,
    Refused,
    clean_lines,
    clean_product,
    upsert_products,
    write_orders,
)
from customers.models import Order

SPELLINGS = {
    "customerId": "customer_id",
    "order_id": "id",
    "orderId": "id",
    "date": "placed_at",
    "source": "store",
    "kind": "type",
    "financial_status": "status",
    "refundOf": "refund_of",
    "parent_id": "refund_of",
    "original_order_id": "refund_of",
    "refunded_amount": "refunded",
    "refundedAmount": "refunded",
    "amount_refunded": "refunded",
    "canceled_at": "cancelled_at",
    "cancelledAt": "cancelled_at",
    "refundedAt": "refunded_at",
}
HEADER = (
    *("placed_at", "store", "currency", "attributes", "customer_id"),
    *("type", "status", "refund_of", "refunded", "refunded_at", "cancelled_at"),
)
KNOWN = frozenset({"id", "amount", "items", "discount", "create_missing", *HEADER})


@dataclass(slots=True)
class GivenOrder:
    order_id: str
    lines: list[Line]
    products: list[dict[str, Any]]
    create_missing: bool

    @property
    def key(self) -> tuple[str, ...]:
        """Return what two calls about one order, or about one refund, have in common."""
        first = self.lines[0]
        return first.store, first.order_id, first.kind


def read_order(data: Any, *, create_missing: bool = False) -> GivenOrder:
    """Parse one order. Raises Refused with the invalid field."""
    if not isinstance(data, Mapping):
        raise Refused(_("Send an object."))
    given = {SPELLINGS.get(name, name): value for name, value in data.items()}
    if unknown := given.keys() - KNOWN:
        raise Refused(
            _("There is no such field. Put free values under attributes."),
            str(min(unknown, key=str)),
        )
    items = given.get("items") or []
    if not isinstance(items, list):
        raise Refused(_("Send a list."), "items")
    order_id = given.get("id")
    if given.get("refund_of") and order_id in (None, ""):
        order_id, given["type"] = given["refund_of"], given.get("type") or Order.Kind.REFUND
    header = {name: given.get(name) for name in HEADER} | {
        "order_id": order_id,
        "order_amount": given.get("amount"),
    }
    parts = list(_parts(items))
    seen_at = timezone.now()
    lines = [
        line
        for place, (fields, _product) in enumerate(parts or [({}, None)])
        for line in clean_lines(
            0,
            header | fields | ({"discount": given.get("discount")} if place == 0 else {}),
            seen_at,
        )
    ]
    if (
        not lines[0].kind
        and lines[0].order_amount is None
        and sum(each.amount for each in lines) < 0
    ):
        lines = [line._replace(kind=str(Order.Kind.REFUND)) for line in lines]
    if not lines[0].kind and not _has_amount(given, parts):
        raise Refused(_("Send the amount, or a price with the items."), "amount")
    try:
        create_missing = create_missing or clean.boolean(given.get("create_missing", False))
    except ValueError as error:
        raise Refused(str(error), "create_missing") from error
    products = [clean_product(product) for _fields, product in parts if product]
    return GivenOrder(lines[0].order_id, lines, products, create_missing)


def record_orders(given: list[GivenOrder], *, evidence: str) -> list[OrderResult]:
    """Write orders and refunds, of two with one key the later; returns results in their order."""
    last: dict[tuple[str, ...], GivenOrder] = {}
    results: dict[int, OrderResult] = {}
    for order in given:
        first = last.setdefault(order.key, order)
        if first.lines[0].customer != order.lines[0].customer:
            reason = _("The order “%s” belongs to another customer.") % order.order_id
            results[id(order)] = OrderResult(Outcome.FAILED, None, reason)
        else:
            last[order.key] = order
    if products := [product for order in last.values() for product in order.products]:
        upsert_products(products)
    for create_missing in (False, True):
        chosen = [order for order in last.values() if order.create_missing is create_missing]
        if chosen:
            lines = [order.lines for order in chosen]
            written = write_orders(lines, create_missing=create_missing, evidence=evidence)
            results |= {id(order): each for order, each in zip(chosen, written, strict=True)}
    return [results.get(id(order)) or results[id(last[order.key])] for order in given]


def _has_amount(given: Mapping[Any, Any], parts: list[tuple[dict[str, Any], Any]]) -> bool:
    return given.get("amount") not in (None, "") or any("amount" in fields for fields, _ in parts)


def _parts(items: list[Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Yield the fields of each line, and its product."""
    for place, item in enumerate(items):
        if isinstance(item, str):
            yield {"name": item}, None
        elif isinstance(item, Mapping):
            yield _part(item, place)
        else:
            raise Refused(_("An item is a name or an object."), f"items[{place}]")


def _part(item: Mapping[Any, Any], place: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    path = f"items[{place}]"
    name = item.get("product") or item.get("name")
    sku = item.get("sku") or name
    if not sku:
        raise Refused(_("Give a sku or a name."), f"{path}.product")
    try:
        quantity = clean.quantity(item["quantity"]) if item.get("quantity") is not None else 1
        fields: dict[str, Any] = {"sku": sku, "name": name or sku, "quantity": quantity}
        if item.get("price") is not None:
            fields["amount"] = quantity * clean.amount(item["price"])
    except ValueError as error:
        raise Refused(str(error), path) from error
    return fields, {"sku": sku, "name": name} | {
        part: item.get(part) for part in ("category", "brand", "department")
    }
