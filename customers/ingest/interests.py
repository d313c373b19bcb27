"""What customers care for, one row a customer, category and source."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from customers.ingest.customer_rows import OWNER, Belongings, Row, record
from customers.ingest.fields import INTEREST, Refused, clean_fields
from customers.ingest.staged_upsert import Column
from customers.ingest.upsert import Result
from customers.models import CustomerInterest

_TABLE = "customers_customerinterest"


def clean_interest(given: Mapping[str, object]) -> dict[str, Any]:
    """A row from fields as a source writes them. Raises Refused."""
    return complete_interest(clean_fields(given, INTEREST))


def complete_interest(row: Row) -> Row:
    """The row with what it does not say itself. Raises Refused for what is missing."""
    for name in ("customer_id", "category"):
        if not row.get(name):
            raise Refused(_("is missing."), name)
    row.setdefault("source", str(CustomerInterest.Source.STATED))
    return row


def record_interests(rows: Sequence[dict[str, Any]]) -> list[Result]:
    """Write cleaned rows; a score that is not given is 1, or stays what it was."""
    return record(_INTERESTS, rows)


def _known(rows: Iterable[Row]) -> dict[Hashable, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id, lower(category), source, id FROM {_TABLE} WHERE customer_id = ANY(%s)",
            [[row["customer_id"] for row in rows]],
        )
        return {(owner, category, source): pk for owner, category, source, pk in cursor.fetchall()}


_INTERESTS = Belongings(
    _TABLE,
    [OWNER, Column("category"), Column("score", "float8", "1"), Column("source")],
    key=lambda row: (row["customer_id"], row["category"].lower(), row["source"]),
    known=_known,
    follow=lambda written, customers: None,
)
