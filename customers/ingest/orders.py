"""Write orders from files of any size and from the API: stage lines, assemble orders, write them in batches.

An existing order is compared with the incoming one: its lines are replaced where they differ, and nothing is written
where they do not. An invalid line rejects its whole order, because an order without one of its lines would be wrong.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import StringIO
from itertools import repeat
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from crm.api import ids
from customers import customer_totals
from customers.ingest import order_sql
from customers.ingest.fields import ORDER, Field, Refused, clean_attributes, clean_fields
from customers.ingest.upsert import Outcome, clean_customer, upsert_customers

BATCH = 20_000
"""Orders in a transaction: enough to be set-based, few enough that subscribers of the outbox do not wait."""
REFUSED_BLOCK = 50_000
MISSING_BATCH = 5_000

REQUIRED = ("order_id", "customer_id", "placed_at")

_ONE, _NOTHING, _CURRENCY = Decimal(1), Decimal(0), settings.CURRENCY


class Line(NamedTuple):
    """One order line, its columns in the order of the staging table. `order_amount` wins over the sum of the lines.

    `attributes` belong to the order, as JSON text.
    """

    line: int
    order_id: str
    customer: str
    customer_pk: int | None
    placed_at: datetime
    store: str
    currency: str
    sku: str
    name: str
    quantity: Decimal
    amount: Decimal
    discount: Decimal
    order_amount: Decimal | None
    attributes: str | None


WrittenLine = tuple[object, ...]
"""The columns of a Line as text for COPY."""


class RefusedLine(NamedTuple):
    """An invalid line, which rejects its whole order."""

    line: int
    order_id: str
    reason: str


@dataclass(slots=True)
class Counts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0


class OrderResult(NamedTuple):
    order_id: str
    outcome: Outcome
    pk: int | None
    reason: str


def refused_line(line: int, order_id: str, error: ValueError) -> RefusedLine:
    """Describe a line that clean_line() refused; `order_id` is the raw cell."""
    return RefusedLine(line, order_id.strip()[:200].replace("\x00", ""), str(error))


def clean_line(line: int, given: Mapping[str, object]) -> Line:
    """Clean a line of fields as a source writes them (customers.ingest.fields.ORDER, and attributes of the order).

    Raises Refused for a missing or invalid field.
    """
    return complete_line(line, clean_fields(given, ORDER))


def complete_line(line: int, row: Mapping[str, Any]) -> Line:
    """Build a line from cleaned fields. Raises Refused for a missing one."""
    for name in REQUIRED:
        if not row.get(name):
            raise Refused(_("is missing."), name)
    customer, attributes = row["customer_id"], row.get("attributes")
    return Line(
        line,
        row["order_id"],
        customer,
        _own_key(customer),
        row["placed_at"],
        row.get("store", ""),
        row.get("currency") or _CURRENCY,
        row.get("sku", ""),
        row.get("name", ""),
        row.get("quantity", _ONE),
        row.get("amount", _NOTHING),
        row.get("discount", _NOTHING),
        row.get("order_amount"),
        json.dumps(attributes) if attributes else None,
    )


def write_lines(
    numbers: Sequence[int],
    columns: Mapping[str, Sequence[str]],
    fields: Mapping[str, Field] = ORDER,
) -> list[WrittenLine]:
    """Build many lines for the staging table from columns of cells. Raises ValueError where clean_line() refuses one of them."""

    def column(name: str, empty: str = "") -> Iterable[str]:
        return fields[name].write_column(columns[name], empty) if name in columns else repeat(empty)

    required = [list(column(name)) for name in REQUIRED]
    if any("" in cells for cells in required):
        raise Refused(_("is missing."))
    order_ids, customers, placed_at = required
    return list(
        zip(
            numbers,
            order_ids,
            customers,
            map(_own_key, customers),
            placed_at,
            column("store"),
            column("currency", _CURRENCY),
            column("sku"),
            column("name"),
            column("quantity", str(_ONE)),
            column("amount", str(_NOTHING)),
            column("discount", str(_NOTHING)),
            column("order_amount"),
            _attributes({name: columns[name] for name in columns if name not in ORDER}, fields),
            strict=False,  # constant columns repeat without end
        )
    )


def _attributes(columns: Mapping[str, Sequence[str]], fields: Mapping[str, Field]) -> Iterable[str]:
    """Return the free attributes of each line as JSON text, or an empty text."""
    if not columns:
        return repeat("")
    return [json.dumps(given) if given else "" for given in clean_attributes(columns, fields)]


def _own_key(customer: str) -> int | None:
    """Return the key in a public id of a customer."""
    return ids.decode("cus", customer) if customer.startswith("cus_") else None


class Staging:
    """The lines of one import, in temporary tables of this connection. Made by `staging()`."""

    def add(self, lines: Iterable[Line | WrittenLine], refused: Sequence[RefusedLine] = ()) -> None:
        """Stage lines, some thousands at most."""
        with connection.cursor() as cursor:
            _copy_csv(cursor, order_sql.COPY_LINES, lines)
            if refused:
                _copy_csv(cursor, order_sql.COPY_REFUSED, refused)

    def assemble(self, *, create_missing: bool, evidence: str) -> int:
        """Assemble lines into orders and find their customers; returns the number of orders.

        Orders of unknown customers are refused, or with `create_missing` the customers are created.
        """
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(order_sql.ROOM)
            cursor.execute(order_sql.ASSEMBLE)
        if create_missing:
            self._create_missing(evidence)
        with connection.cursor() as cursor:
            cursor.execute(order_sql.REFUSE, _reasons())
            cursor.execute("SELECT count(*) FROM staged_order")
            return int(cursor.fetchone()[0])

    def write(self, *, progress: Callable[[float], None] = lambda done: None) -> Counts:
        """Write the valid orders, a batch a transaction."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(order_no), 0) FROM staged_order")
            last = cursor.fetchone()[0]
        counts = Counts()
        for first in range(1, last + 1, BATCH):
            _write_batch(first, first + BATCH - 1, counts)
            progress(min((first + BATCH - 1) / last, 1.0))
        return counts

    def refused(self) -> Iterator[tuple[int, str]]:
        """Yield refused lines with the reason, in the order of the file."""
        with connection.cursor() as cursor:
            after = 0
            while True:
                cursor.execute(order_sql.REFUSED_LINES, {"after": after, "limit": REFUSED_BLOCK})
                rows = cursor.fetchall()
                yield from rows
                if len(rows) < REFUSED_BLOCK:
                    return
                after = rows[-1][0]

    def results(self) -> dict[str, OrderResult]:
        """Return the result of each order by its id."""
        with connection.cursor() as cursor:
            cursor.execute(order_sql.RESULTS)
            return {
                order_id: OrderResult(order_id, Outcome(outcome), pk, reason)
                for order_id, outcome, pk, reason in cursor.fetchall()
            }

    def _create_missing(self, evidence: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(order_sql.MISSING_CUSTOMERS)
            keys = [row[0] for row in cursor.fetchall()]
        for start in range(0, len(keys), MISSING_BATCH):
            rows = []
            for key in keys[start : start + MISSING_BATCH]:
                try:
                    rows.append(clean_customer({"email" if "@" in key else "external_id": key}))
                except Refused:
                    continue  # not an address: the order is refused as one of an unknown customer
            upsert_customers(rows, evidence=evidence)
        with connection.cursor() as cursor:
            cursor.execute(order_sql.FIND_MADE)


def _copy_csv(cursor: Any, statement: str, rows: Iterable[Sequence[object]]) -> None:
    """Takes half the time of psycopg's write_row(), which looks up how to write each value."""
    text = StringIO()
    csv.writer(text).writerows(rows)
    with cursor.copy(statement) as copy:
        copy.write(text.getvalue())


@contextmanager
def staging() -> Iterator[Staging]:
    """Create the temporary tables for lines, and drop them at the end."""
    with connection.cursor() as cursor:
        cursor.execute(order_sql.DROP + order_sql.CREATE)
    try:
        yield Staging()
    finally:
        if not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute(order_sql.DROP)


def _write_batch(first: int, last: int, counts: Counts) -> None:
    span = {"first": first, "last": last}
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in order_sql.WRITE:
            cursor.execute(statement, span)
        cursor.execute(order_sql.TOUCHED_CUSTOMERS)
        customer_totals.recompute([row[0] for row in cursor.fetchall()])
        cursor.execute(order_sql.COUNT)
        for outcome, number in cursor.fetchall():
            setattr(counts, outcome, getattr(counts, outcome) + number)


def _reasons() -> dict[str, str]:
    return {
        "with_bad_line": _(
            "Line %(line)s of this order is invalid, so the whole order was rejected."
        ),
        "unknown_customer": _(
            "There is no customer “%(customer)s”. Import the customers first, or create missing ones."
        ),
        "two_customers": _("The lines of this order name different customers."),
        "too_large": _("The amount of this order is too large."),
    }
