"""Visits to the site, matched by their id in the source."""

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
from customers.ingest.fields import VISIT, Refused, clean_fields
from customers.ingest.staged_upsert import Column, Written
from customers.ingest.upsert import Result

_TABLE = "customers_visit"

_ON_THE_TIMELINE = f"""
    INSERT INTO customers_interaction (customer_id, type, occurred_at, properties)
    SELECT customer_id, '{events.PAGE_VIEWED}', occurred_at, jsonb_strip_nulls(jsonb_build_object(
        'url', nullif(url, ''), 'title', nullif(title, ''), 'referrer', nullif(referrer, ''), 'device', nullif(device, '')
    ))
    FROM {_TABLE} WHERE id = ANY(%s) ORDER BY id
"""


def clean_visit(given: Mapping[str, object]) -> dict[str, Any]:
    """A row from fields as a source writes them. Raises Refused."""
    return complete_visit(clean_fields(given, VISIT))


def complete_visit(row: Row) -> Row:
    """The row with what it does not say itself. Raises Refused for what is missing."""
    for name in ("customer_id", "occurred_at"):
        if not row.get(name):
            raise Refused(_("is missing."), name)
    row.setdefault("external_id", digest(row))
    return row


def record_visits(rows: Sequence[dict[str, Any]]) -> list[Result]:
    """Write cleaned rows; new ones stand on the timeline, and the customers' figures follow."""
    return record(_VISITS, rows)


def _follow(written: Written, customers: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ON_THE_TIMELINE, [written.created])
    customer_totals.keep(customers)


_VISITS = Belongings(
    _TABLE,
    [
        EXTERNAL_ID,
        OWNER,
        Column("occurred_at", "timestamptz", "NULL"),
        *(Column(name) for name in ("url", "title", "referrer", "device")),
        Column("pages", "integer", "NULL"),
        Column("seconds", "integer", "NULL"),
        ATTRIBUTES,
    ],
    key=lambda row: row["external_id"],
    known=by_external_id(_TABLE),
    follow=_follow,
)
