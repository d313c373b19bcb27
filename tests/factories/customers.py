"""People and what they bought, ready to use; every field may be given."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.utils import timezone

from customers.models import Customer, Order, Product

_numbers = count(1)


def make_customer(**fields: Any) -> Customer:
    """Somebody with an e-mail address, unless `email=None` is given with an external id."""
    number = next(_numbers)
    given = {"email": f"customer-{number}@example.com", "first_name": "Ada", **fields}
    return Customer.objects.create(**given)


def make_product(**fields: Any) -> Product:
    number = next(_numbers)
    return Product.objects.create(**{"sku": f"sku-{number}", "name": f"Product {number}", **fields})


def make_order(customer: Customer, **fields: Any) -> Order:
    """The row alone: what is kept on the customer does not follow."""
    given = {"external_id": f"order-{next(_numbers)}", "placed_at": timezone.now(), "amount": 10}
    return Order.objects.create(customer=customer, **given | fields)
