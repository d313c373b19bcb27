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
    Refused,
    clean_line,
    clean_product,
    staging,
    upsert_products,
)

SPELLINGS = {"customerId": "customer_id", "order_id": "id", "orderId": "id", "date": "placed_at"}
HEADER = ("placed_at", "store", "currency", "attributes")
KNOWN = frozenset({"id", "customer_id", "amount", "items", "discount", "create_missing", *HEADER})


@dataclass(slots=True)
class GivenOrder:
    order_id: str
    lines: list[Line]
    products: list[dict[str, Any]]
    create_missing: bool


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
    header = {name: given.get(name) for name in HEADER} | {
        "order_id": given.get("id"),
        "customer_id": given.get("customer_id"),
        "placed_at": given.get("placed_at") or timezone.now().isoformat(),
        "order_amount": given.get("amount"),
    }
    parts = list(_parts(items))
    if given.get("amount") in (None, "") and not any(
        "amount" in fields for fields, _product in parts
    ):
        raise Refused(_("Send the amount, or a price with the items."), "amount")
    lines = [
        clean_line(0, header | fields | ({"discount": given.get("discount")} if place == 0 else {}))
        for place, (fields, _product) in enumerate(parts or [({}, None)])
    ]
    try:
        create_missing = create_missing or clean.boolean(given.get("create_missing", False))
    except ValueError as error:
        raise Refused(str(error), "create_missing") from error
    products = [clean_product(product) for _fields, product in parts if product]
    return GivenOrder(lines[0].order_id, lines, products, create_missing)


def record_orders(given: list[GivenOrder], *, evidence: str) -> dict[str, OrderResult]:
    """Write the orders, of two with one id the later; returns results by id."""
    by_id = {order.order_id: order for order in given}
    if products := [product for order in by_id.values() for product in order.products]:
        upsert_products(products)
    results: dict[str, OrderResult] = {}
    for create_missing in (False, True):
        chosen = [order for order in by_id.values() if order.create_missing is create_missing]
        if not chosen:
            continue
        with staging() as staged:
            staged.add(list(_numbered(chosen)))
            staged.assemble(create_missing=create_missing, evidence=evidence)
            staged.write()
            results |= staged.results()
    return results


def _numbered(given: list[GivenOrder]) -> Iterator[Line]:
    lines = (line for order in given for line in order.lines)
    return (line._replace(line=number) for number, line in enumerate(lines, 1))


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
