"""Rows that belong to a customer: service tickets, site visits and interests, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers import customer_totals
from customers.identity import emit_changed, find, mark_known, unknown
from customers.ingest import service_words
from customers.ingest.fields import INTEREST, SERVICE, VISIT, Refused, clean_fields
from customers.ingest.products import upsert_products
from customers.ingest.staged_upsert import Column, Incoming, Written, merge, new_keys
from customers.ingest.upsert import Outcome, Result
from customers.models import CustomerInterest, Product
from customers.timeline import types

Row = dict[str, Any]

_SERVICE = "customers_serviceinteraction"
_VISIT = "customers_visit"
_INTEREST = "customers_customerinterest"

_ATTRIBUTES = Column("attributes", "jsonb", "'{}'", "old.{0} || coalesce(new.{0}, '{{}}')")
_EXTERNAL_ID = Column("external_id")
_OWNER = Column("customer_id", "bigint", "NULL")

_SERVICE_ON_TIMELINE = f"""
    INSERT INTO customers_interaction (customer_id, type, occurred_at, properties)
    SELECT contact.customer_id, '{types.SERVICE_CONTACT}', contact.occurred_at, jsonb_strip_nulls(jsonb_build_object(
        'type', type, 'subject', nullif(subject, ''), 'channel', nullif(channel, ''), 'product', product.sku,
        'satisfaction', satisfaction
    ))
    FROM {_SERVICE} contact LEFT JOIN customers_product product ON product.id = product_id
    WHERE contact.id = ANY(%s) ORDER BY contact.id
"""
_VISITS_ON_TIMELINE = f"""
    INSERT INTO customers_interaction (customer_id, type, occurred_at, properties)
    SELECT customer_id, '{types.PAGE_VIEWED}', occurred_at, jsonb_strip_nulls(jsonb_build_object(
        'url', nullif(url, ''), 'title', nullif(title, ''), 'referrer', nullif(referrer, ''), 'device', nullif(device, '')
    ))
    FROM {_VISIT} WHERE id = ANY(%s) ORDER BY id
"""


@dataclass(frozen=True)
class CustomerTable:
    """A table of such rows: its columns, the key that identifies a row, and SQL that puts new rows on the timeline."""

    name: str
    columns: Sequence[Column]
    key: Callable[[Row], Hashable]
    existing: Callable[[Iterable[Row]], dict[Hashable, int]]
    timeline_sql: str = ""


def clean_service(given: Mapping[str, object]) -> Row:
    """Clean a service ticket as a source writes it. Raises Refused."""
    return complete_service(clean_fields(given, SERVICE))


def complete_service(row: Row) -> Row:
    """Add what the row does not give. Raises Refused for a missing required field.

    A ticket that is resolved without saying when was resolved at its time.
    """
    row = _with_external_id(_required(row, "customer_id", "occurred_at"))
    if service_words.is_resolved(str(row.get("resolution", ""))):
        row.setdefault("resolved_at", row["occurred_at"])
    return row


def record_service(rows: Sequence[Row]) -> list[Result]:
    """Write cleaned service tickets; new ones appear on the timeline. Unknown products are added to the catalogue."""
    skus = {row["sku"] for row in rows if row.get("sku")}
    known = Product.objects.filter(sku__in=skus)
    upsert_products([{"sku": sku} for sku in skus - set(known.values_list("sku", flat=True))])
    products = dict(known.all().values_list("sku", "pk"))
    return _record(
        _SERVICES,
        [
            {name: value for name, value in row.items() if name != "sku"}
            | ({"product_id": products[row["sku"]]} if row.get("sku") else {})
            for row in rows
        ],
    )


def clean_visit(given: Mapping[str, object]) -> Row:
    """Clean a site visit as a source writes it. Raises Refused."""
    return complete_visit(clean_fields(given, VISIT))


def complete_visit(row: Row) -> Row:
    """Add what the row does not give. Raises Refused for a missing required field."""
    return _with_external_id(_required(row, "customer_id", "occurred_at"))


def record_visits(rows: Sequence[Row]) -> list[Result]:
    """Write cleaned visits; new ones appear on the timeline and count into the customers' totals."""
    return _record(_VISITS, rows)


def clean_interest(given: Mapping[str, object]) -> Row:
    """Clean an interest as a source writes it. Raises Refused."""
    return complete_interest(clean_fields(given, INTEREST))


def complete_interest(row: Row) -> Row:
    """Add what the row does not give. Raises Refused for a missing required field."""
    _required(row, "customer_id", "category")
    row.setdefault("source", str(CustomerInterest.Source.STATED))
    return row


def record_interests(rows: Sequence[Row]) -> list[Result]:
    """Write cleaned interests, one for each customer, category and source. A missing score is 1, or stays what it was."""
    return _record(_INTERESTS, rows)


def _required(row: Row, *names: str) -> Row:
    for name in names:
        if not row.get(name):
            raise Refused(_("is missing."), name)
    return row


def _with_external_id(row: Row) -> Row:
    """Give a row without an id a digest of its values, so that the same row is found again."""
    if "external_id" not in row:
        values = repr(sorted((name, str(value)) for name, value in row.items()))
        row["external_id"] = f"~{sha256(values.encode()).hexdigest()[:32]}"
    return row


def _record(table: CustomerTable, rows: Sequence[Row]) -> list[Result]:
    """Write cleaned rows in one transaction, of two with one key the later; `customer_id` is the source's name of the customer.

    A row of an unknown customer fails alone.
    """
    results = [Result(Outcome.FAILED) for _row in rows]
    places: dict[Hashable, list[int]] = {}
    values: dict[Hashable, Row] = {}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table.name])
        owners = find(row["customer_id"] for row in rows)
        mark_known([*owners.values()])
        for place, row in enumerate(rows):
            owner = owners.get(row["customer_id"])
            if owner is None:
                results[place].reason = unknown(row["customer_id"])
                continue
            owned = row | {"customer_id": owner}
            key = table.key(owned)
            values.setdefault(key, {}).update(owned)
            places.setdefault(key, []).append(place)
        keys = table.existing(values.values())
        fresh = [key for key in values if key not in keys]
        keys |= zip(fresh, new_keys(table.name, len(fresh)), strict=True)
        is_new = set(fresh)
        written = merge(
            table.name,
            table.columns,
            [Incoming(keys[key], key in is_new, row) for key, row in values.items()],
        )
        changed = {*written.created, *written.updated}
        touched = sorted(
            {row["customer_id"] for key, row in values.items() if keys[key] in changed}
        )
        if touched:
            _follow(table, written, touched)
    for key, places_of_key in places.items():
        for place in places_of_key:
            outcome = Outcome.UPDATED if keys[key] in changed else Outcome.UNCHANGED
            results[place] = Result(outcome, keys[key])
        if key in is_new:
            results[places_of_key[0]] = Result(Outcome.CREATED, keys[key])
    return results


def _follow(table: CustomerTable, written: Written, customers: Sequence[int]) -> None:
    if table.timeline_sql:
        with connection.cursor() as cursor:
            cursor.execute(table.timeline_sql, [written.created])
        customer_totals.recompute(customers)
    emit_changed([], customers)


def _by_external_id(table: str) -> Callable[[Iterable[Row]], dict[Hashable, int]]:
    def existing(rows: Iterable[Row]) -> dict[Hashable, int]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT external_id, id FROM {table} WHERE external_id = ANY(%s)",
                [[row["external_id"] for row in rows]],
            )
            return dict(cursor.fetchall())

    return existing


def _existing_interests(rows: Iterable[Row]) -> dict[Hashable, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id, lower(category), source, id FROM {_INTEREST} WHERE customer_id = ANY(%s)",
            [[row["customer_id"] for row in rows]],
        )
        return {(owner, category, source): pk for owner, category, source, pk in cursor.fetchall()}


_SERVICES = CustomerTable(
    _SERVICE,
    [
        _EXTERNAL_ID,
        _OWNER,
        Column("type", empty="'inquiry'"),
        Column("occurred_at", "timestamptz", "NULL"),
        *(Column(name) for name in ("channel", "subject", "message", "resolution")),
        Column("product_id", "bigint", "NULL"),
        Column("resolved_at", "timestamptz", "NULL"),
        Column("satisfaction", "smallint", "NULL"),
        _ATTRIBUTES,
    ],
    key=lambda row: row["external_id"],
    existing=_by_external_id(_SERVICE),
    timeline_sql=_SERVICE_ON_TIMELINE,
)
_VISITS = CustomerTable(
    _VISIT,
    [
        _EXTERNAL_ID,
        _OWNER,
        Column("occurred_at", "timestamptz", "NULL"),
        *(Column(name) for name in ("url", "title", "referrer", "device")),
        Column("pages", "integer", "NULL"),
        Column("seconds", "integer", "NULL"),
        _ATTRIBUTES,
    ],
    key=lambda row: row["external_id"],
    existing=_by_external_id(_VISIT),
    timeline_sql=_VISITS_ON_TIMELINE,
)
_INTERESTS = CustomerTable(
    _INTEREST,
    [_OWNER, Column("category"), Column("score", "float8", "1"), Column("source")],
    key=lambda row: (row["customer_id"], row["category"].lower(), row["source"]),
    existing=_existing_interests,
)
