"""Make the variables of a template: of a customer, the campaign and the site, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from customers.models import Customer
from customers.models.customer import full_name

CUSTOMER_FIELDS = (
    "external_id", "first_name", "last_name", "email", "phone", "city", "region", "country", "language", "lifecycle_status", "tags",
    "attributes", "total_spend", "order_count", "average_order_value", "visit_count", "date_of_birth", "registered_at", "last_order_at",
    "last_visit_at",
)  # fmt: skip
"""Of a customer: what a template's variables are made of."""
SHORTCUTS = ("name", "first_name", "last_name", "email", "city", "country")


def customer_context(customer: Customer) -> dict[str, Any]:
    """Return the variables of one recipient: `customer.…`, and its commonest fields at the top for `{name}`."""
    return person_context({field: getattr(customer, field) for field in CUSTOMER_FIELDS})


def person_context(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of the recipient with these values of CUSTOMER_FIELDS."""
    person = {field: fields[field] for field in CUSTOMER_FIELDS}
    person["id"] = person.pop("external_id") or ""
    person["name"] = full_name(fields["first_name"], fields["last_name"])
    person["email"] = fields["email"] or ""
    person["tags"] = list(fields["tags"])
    return {"customer": person, **{field: person[field] for field in SHORTCUTS}}


def shared_context(campaign_name: str) -> dict[str, Any]:
    """Return the variables that are the same for every recipient of a campaign."""
    return {
        "campaign": {"name": campaign_name},
        "site": {
            "name": settings.SITE_NAME,
            "url": settings.SITE_URL,
            "currency": settings.CURRENCY,
        },
    }
