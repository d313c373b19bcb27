"""People, products and orders for tests: plain functions with the least that a test has to say."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from customers.ingest import behaviour
from customers.models import Customer, Order, OrderLine, Product

_numbers = count(1)


def make_customer(**fields: Any) -> Customer:
    """A customer with an external id and an e-mail of their own, unless said otherwise."""
    number = next(_numbers)
    fields = {
        "external_id": f"customer-{number}",
        "email": f"customer-{number}@example.org",
    } | fields
    return Customer.objects.create(**fields)


def make_product(**fields: Any) -> Product:
    return Product.objects.create(**({"sku": f"sku-{next(_numbers)}"} | fields))


def make_order(
    customer: Customer,
    amount: Decimal | int | str = 10,
    placed_at: datetime | None = None,
    products: list[Product] | None = None,
    **fields: Any,
) -> Order:
    """An order, its amount spread over a line a product, with the customer's kept figures right afterwards."""
    order = Order.objects.create(
        **(
            {
                "external_id": f"order-{next(_numbers)}",
                "customer": customer,
                "amount": Decimal(amount),
                "placed_at": placed_at or timezone.now(),
            }
            | fields
        )
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            position=position,
            product=product,
            amount=order.amount if position == 1 else Decimal(0),
        )
        for position, product in enumerate(products or [], 1)
    )
    behaviour.keep([customer.pk])
    customer.refresh_from_db()
    return order
