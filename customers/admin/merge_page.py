"""The comparison of two records: which one survives, and whose values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.contrib.admin.utils import label_for_field
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.adminkit import display
from customers.identity import CHOOSABLE
from customers.models import Customer

FIELDS = tuple(name for name in CHOOSABLE if name != "registered_at")
"""The earlier registration always wins, so it is no choice."""


class FieldRow(NamedTuple):
    """A field with both values; `choice` where they differ and staff must choose."""

    name: str
    label: str
    values: Sequence[tuple[str, str]]
    choice: bool


def rows(one: Customer, other: Customer) -> list[FieldRow]:
    """Return the fields with at least one value."""
    found = []
    for name in FIELDS:
        values = [_shown(customer, name) for customer in (one, other)]
        if any(values):
            label = str(label_for_field(name, Customer))
            differ = all(values) and values[0] != values[1]
            found.append(FieldRow(name, label, list(zip("ab", values, strict=True)), differ))
    return found


def figures(one: Customer, other: Customer) -> list[tuple[str | Promise, list[str]]]:
    """Return the figures that are added up: a label and both values."""
    pairs = zip(_figures(one), _figures(other), strict=True)
    return [(label, [first, second]) for (label, first), (_label, second) in pairs]


def chosen(posted: Mapping[str, Any], survivor: str) -> list[str]:
    """Return the fields for which staff chose the duplicate's value; `survivor` is "a" or "b"."""
    return [
        name for name in FIELDS if posted.get(f"field-{name}", survivor) in {"a", "b"} - {survivor}
    ]


def _shown(customer: Customer, name: str) -> str:
    if name == "lifecycle_status":
        return customer.get_lifecycle_status_display()
    value = getattr(customer, name)
    return "" if value is None else str(value)


def _figures(customer: Customer) -> list[tuple[str | Promise, str]]:
    return [
        (_("Orders"), display.number(customer.orders.purchases().count())),
        (_("Total spend"), display.money(customer.total_spend)),
        (_("Timeline"), display.number(customer.interactions.count())),
        (_("Segments"), display.number(customer.memberships.count())),
        (_("Registered"), display.when(customer.registered_at)),
    ]
