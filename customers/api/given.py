"""Prepare sent objects for the ingest path: alternative names, and errors at the right place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.settings import api_settings

from customers.ingest import CUSTOMER, PRODUCT, Refused

MOST_ITEMS = 10_000

CUSTOMER_SPELLINGS = {
    "id": "external_id",
    "externalId": "external_id",
    "totalSpends": "total_spend",
    "totalSpend": "total_spend",
    "visits": "visit_count",
    "lastVisit": "last_visit_at",
}
PRODUCT_SPELLINGS = {"id": "sku"}
TOLD_NOT_TAKEN = frozenset(
    {
        *("average_order_value", "first_order_at", "last_order_at", "last_interaction_at"),
        *("opted_out_channels", "opted_out_topics", "paused_until", "created_at", "updated_at"),
    }
)
"""Read-only fields, ignored so that a response can be sent back."""


def an_object(data: Any) -> dict[str, Any]:
    """Return the body as a plain object. Raises ValidationError."""
    if isinstance(data, QueryDict):
        return {name: value for name, value in data.dict().items() if value != ""}
    if not isinstance(data, Mapping):
        raise ValidationError(_("Send an object."))
    return dict(data)


def a_list(data: Any, name: str) -> list[Any]:
    """Return the items of a batch: the body, or its list of this name. Raises ValidationError."""
    items = data.get(name) if isinstance(data, Mapping) else data
    if not isinstance(items, list):
        raise ValidationError({name: [_("Send a list.")]})
    if len(items) > MOST_ITEMS:
        raise ValidationError({name: [_("At most %d at a time.") % MOST_ITEMS]})
    return items


def customer_fields(data: Any) -> dict[str, object]:
    """Rename the fields of a customer to ours. Raises Refused for an unknown one."""
    return known_fields(data, CUSTOMER_SPELLINGS, CUSTOMER)


def product_fields(data: Any) -> dict[str, object]:
    """Rename the fields of a product to ours. Raises Refused for an unknown one."""
    return known_fields(data, PRODUCT_SPELLINGS, PRODUCT)


def as_validation_error(refused: Refused) -> ValidationError:
    return ValidationError(
        {refused.field or api_settings.NON_FIELD_ERRORS_KEY: [ValueError.__str__(refused)]}
    )


def as_failure(index: int, refused: Refused) -> dict[str, Any]:
    """Return the result of a failed item of a batch."""
    return {
        "index": index,
        "status": "failed",
        "errors": [{"path": refused.field, "message": ValueError.__str__(refused)}],
    }


def item_errors(items: Sequence[str], bad: Iterable[str], message: str) -> list[dict[str, Any]]:
    """Return index and reason of each bad item of a list."""
    refused = set(bad)
    return [
        {"index": index, "message": message} for index, item in enumerate(items) if item in refused
    ]


def known_fields(
    data: Any, spellings: Mapping[str, str], fields: Mapping[str, Any]
) -> dict[str, object]:
    """Rename the fields of an object to ours. Raises Refused for an unknown one."""
    if not isinstance(data, Mapping):
        raise Refused(_("Send an object."))
    found: dict[str, object] = {}
    for name, value in data.items():
        field = spellings.get(name, name)
        if field in TOLD_NOT_TAKEN:
            continue
        if field not in fields and field != "attributes":
            raise Refused(_("There is no such field. Put free values under attributes."), str(name))
        found[field] = value
    return found


def spelled(items: list[Any], spellings: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rename the fields of items, unchecked. Raises ValidationError for an item that is not an object."""
    for place, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise as_validation_error(Refused(_("Send an object."), f"[{place}]"))
    return [{spellings.get(name, name): value for name, value in item.items()} for item in items]
