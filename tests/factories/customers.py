"""People and what they bought, ready to use; every field may be given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from customers.models import Customer, Order, OrderLine, Product

_numbers = count(1)


def make_customer(**fields: Any) -> Customer:
    """Create a customer with an e-mail address, unless `email=None` is given with an external id."""
    number = next(_numbers)
    given = {"email": f"customer-{number}@example.com", "first_name": "Ada", **fields}
    return Customer.objects.create(**given)


def make_product(**fields: Any) -> Product:
    number = next(_numbers)
    return Product.objects.create(**{"sku": f"sku-{number}", "name": f"Product {number}", **fields})


def make_order(
    customer: Customer,
    amount: Decimal | int | str = 10,
    placed_at: datetime | None = None,
    products: Sequence[Product] = (),
    **fields: Any,
) -> Order:
    """The rows alone, a line a product with all of the amount on the first: what is kept on the customer does not follow."""
    given = {
        "external_id": f"order-{next(_numbers)}",
        "placed_at": placed_at or timezone.now(),
        "amount": Decimal(amount),
        "kind": Order.Kind.REFUND if Decimal(amount) < 0 else Order.Kind.ORDER,
        "rate": 1,
        **fields,
    }
    order = Order.objects.create(customer=customer, **given)
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            position=position,
            product=product,
            amount=0 if position > 1 else order.amount,
        )
        for position, product in enumerate(products, 1)
    )
    return order
