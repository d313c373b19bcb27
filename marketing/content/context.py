"""What a template can see of a customer, the campaign and the site: this, and nothing else."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from customers.models import Customer

FIELDS = (
    "external_id", "first_name", "last_name", "email", "phone", "city", "region", "country", "language", "lifecycle_status", "tags",
    "attributes", "total_spend", "order_count", "average_order_value", "visit_count", "date_of_birth", "registered_at", "last_order_at",
    "last_visit_at",
)  # fmt: skip
"""Of a customer: what customer_context() looks at."""
SHORTCUTS = ("name", "first_name", "last_name", "email", "city", "country")


def customer_context(customer: Customer) -> dict[str, Any]:
    """The variables of one recipient: `customer.…`, and its commonest fields at the top for `{name}`."""
    person = {
        "id": customer.external_id or "",
        "name": customer.name,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "email": customer.email or "",
        "phone": customer.phone,
        "city": customer.city,
        "region": customer.region,
        "country": customer.country,
        "language": customer.language,
        "lifecycle_status": customer.lifecycle_status,
        "tags": list(customer.tags),
        "attributes": customer.attributes,
        "total_spend": customer.total_spend,
        "order_count": customer.order_count,
        "average_order_value": customer.average_order_value,
        "visit_count": customer.visit_count,
        "date_of_birth": customer.date_of_birth,
        "registered_at": customer.registered_at,
        "last_order_at": customer.last_order_at,
        "last_visit_at": customer.last_visit_at,
    }
    return {"customer": person, **{field: person[field] for field in SHORTCUTS}}


def shared_context(campaign_name: str) -> dict[str, Any]:
    """The variables that are the same for every recipient of a campaign."""
    return {
        "campaign": {"name": campaign_name},
        "site": {
            "name": settings.SITE_NAME,
            "url": settings.SITE_URL,
            "currency": settings.CURRENCY,
        },
    }
