"""Complaints, inquiries and feedback, matched by their id in the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from customers import customer_totals, events
from customers.ingest.customer_rows import (
    ATTRIBUTES,
    EXTERNAL_ID,
    OWNER,
    Belongings,
    Row,
    by_external_id,
    digest,
    record,
)
from customers.ingest.fields import SERVICE, Refused, clean_fields
from customers.ingest.products import upsert_products
from customers.ingest.staged_upsert import Column, Written
from customers.ingest.upsert import Result
from customers.models import Product

_TABLE = "customers_serviceinteraction"

_ON_THE_TIMELINE = f"""
    INSERT INTO customers_interaction (customer_id, type, occurred_at, properties)
    SELECT contact.customer_id, '{events.SERVICE_CONTACT}', contact.occurred_at, jsonb_strip_nulls(jsonb_build_object(
        'type', type, 'subject', nullif(subject, ''), 'channel', nullif(channel, ''), 'product', product.sku,
        'satisfaction', satisfaction
    ))
    FROM {_TABLE} contact LEFT JOIN customers_product product ON product.id = product_id
    WHERE contact.id = ANY(%s) ORDER BY contact.id
"""


def clean_service(given: Mapping[str, object]) -> dict[str, Any]:
    """A row from fields as a source writes them. Raises Refused."""
    return complete_service(clean_fields(given, SERVICE))


def complete_service(row: Row) -> Row:
    """The row with what it does not say itself. Raises Refused for what is missing."""
    for name in ("customer_id", "occurred_at"):
        if not row.get(name):
            raise Refused(_("is missing."), name)
    row.setdefault("external_id", digest(row))
    return row


def record_service(rows: Sequence[dict[str, Any]]) -> list[Result]:
    """Write cleaned rows; new ones stand on the timeline. Products that are not in the catalogue are added to it."""
    skus = {row["sku"] for row in rows if row.get("sku")}
    known = Product.objects.filter(sku__in=skus)
    upsert_products([{"sku": sku} for sku in skus - set(known.values_list("sku", flat=True))])
    products = dict(known.all().values_list("sku", "pk"))
    return record(
        _SERVICE,
        [
            {name: value for name, value in row.items() if name != "sku"}
            | ({"product_id": products[row["sku"]]} if row.get("sku") else {})
            for row in rows
        ],
    )


def _follow(written: Written, customers: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ON_THE_TIMELINE, [written.created])
    customer_totals.keep(customers)


_SERVICE = Belongings(
    _TABLE,
    [
        EXTERNAL_ID,
        OWNER,
        Column("type", empty="'inquiry'"),
        Column("occurred_at", "timestamptz", "NULL"),
        *(Column(name) for name in ("channel", "subject", "message", "resolution")),
        Column("product_id", "bigint", "NULL"),
        Column("resolved_at", "timestamptz", "NULL"),
        Column("satisfaction", "smallint", "NULL"),
        ATTRIBUTES,
    ],
    key=lambda row: row["external_id"],
    known=by_external_id(_TABLE),
    follow=_follow,
)
