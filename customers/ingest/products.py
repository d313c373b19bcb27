"""Upsert products, matched by SKU, through the same staging and merge as customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.ingest.fields import PRODUCT, clean_fields
from customers.ingest.staged_upsert import Column, Incoming, merge, new_keys
from customers.ingest.upsert import Outcome, Result

COLUMNS = [
    Column("sku"),
    Column("name"),
    Column("department"),
    Column("category"),
    Column("brand"),
    Column("price", "numeric", "NULL"),
    Column("launch_date", "date", "NULL"),
    Column("attributes", "jsonb", "'{}'", "old.{0} || coalesce(new.{0}, '{{}}')"),
]

LOCK = "SELECT pg_advisory_xact_lock(hashtext('customers.ingest.products'))"


def clean_product(given: Mapping[str, object]) -> dict[str, Any]:
    """Clean a product as a source writes it; empty values are ignored. Raises Refused."""
    return clean_fields(given, PRODUCT)


def upsert_products(rows: Sequence[dict[str, Any]]) -> list[Result]:
    """Write cleaned rows, a few thousand at most, in one transaction; of two with one SKU the later wins."""
    merged: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.get("sku"):
            known = merged.setdefault(row["sku"], {})
            known.update(
                row | {"attributes": known.get("attributes", {}) | row.get("attributes", {})}
            )
    with transaction.atomic():
        keys = _existing(list(merged))
        fresh = [sku for sku in merged if sku not in keys]
        is_new = set(fresh)
        keys |= zip(fresh, new_keys("customers_product", len(fresh)), strict=True)
        written = merge(
            "customers_product",
            COLUMNS,
            [Incoming(keys[sku], sku in is_new, values) for sku, values in merged.items()],
        )
    changed = set(written.updated)
    results = []
    for row in rows:
        sku = row.get("sku")
        if not sku:
            results.append(Result(Outcome.FAILED, reason=_("A product needs a sku.")))
        elif sku in is_new:
            results.append(Result(Outcome.CREATED, keys[sku]))
            is_new.discard(sku)
            changed.add(keys[sku])
        else:
            outcome = Outcome.UPDATED if keys[sku] in changed else Outcome.UNCHANGED
            results.append(Result(outcome, keys[sku]))
    return results


def _existing(skus: list[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
        cursor.execute(
            "SELECT sku, id FROM customers_product WHERE sku = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [skus],
        )
        return dict(cursor.fetchall())
