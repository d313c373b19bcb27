"""Write orders and refunds from files of any size and from the API: stage lines, assemble orders, write them in batches.

An existing order is compared with the incoming one: its lines are replaced where they differ, and nothing is written
where they do not. An invalid line rejects its whole order, because an order without one of its lines would be wrong.

A row is a refund if its type says so, if it names the order that it refunds, or if its amount is below zero. A row of an order that says
that the order was refunded, cancelled or returned, in part or whole, becomes two: the order, and the refund with the id of the order.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import StringIO
from itertools import chain, count, repeat
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from crm.api import ids
from customers import clean, customer_totals
from customers.ingest import order_sql
from customers.ingest.fields import ORDER, Field, Refused, clean_attributes, clean_fields
from customers.ingest.order_words import AWAITING, PARTLY, UNPAID
from customers.ingest.upsert import Outcome, clean_customer, upsert_customers
from customers.models import Order

BATCH = 20_000
"""Orders in a transaction: enough to be set-based, few enough that subscribers of the outbox do not wait."""
REFUSED_BLOCK = 50_000
MISSING_BATCH = 5_000

REQUIRED = ("order_id", "customer_id", "placed_at")
ABOUT_REFUNDS = ("type", "status", "refund_of", "refunded", "refunded_at", "cancelled_at")

_ONE, _NOTHING = Decimal(1), Decimal(0)
_ORDER, _REFUND, _CANCELLATION = Order.Kind.ORDER, Order.Kind.REFUND, Order.Kind.CANCELLATION


class Line(NamedTuple):
    """One order line, its columns in the order of the staging table. `order_amount` wins over the sum of the lines.

    Without a kind, the sign of the amount tells an order from a refund; without a time, it is that of the stored order, else `seen_at`.
    `attributes` belong to the order, as JSON text.
    """

    line: int
    order_id: str
    customer: str
    customer_pk: int | None
    placed_at: datetime | None
    seen_at: datetime | None
    store: str
    currency: str
    kind: str
    refunded_order: str
    sku: str
    name: str
    quantity: Decimal
    amount: Decimal
    discount: Decimal
    order_amount: Decimal | None
    attributes: str | None

    @property
    def is_nameless_refund(self) -> bool:
        """Return whether it is a refund of a given amount, without an id of its own or lines."""
        has_own_id = self.refunded_order not in ("", self.order_id)
        has_amount = self.order_amount is not None or self.amount != 0
        return bool(self.kind) and has_amount and not (has_own_id or self.sku or self.name)


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


class SameRefund(Refused):
    """A refund without an id of its own that repeats an earlier one, and counts once with it."""

    def __init__(self, field: str) -> None:
        told = _("It is the same refund as one before. Give two equal refunds an id each.")
        super().__init__(told, field)


class OrderResult(NamedTuple):
    """The outcome of an order, with the reason of a failure or a note."""

    outcome: Outcome
    pk: int | None
    reason: str


def refused_line(line: int, order_id: str, error: ValueError) -> RefusedLine:
    """Describe a line that clean_lines() refused; `order_id` is the raw cell."""
    return RefusedLine(line, order_id.strip()[:200].replace("\x00", ""), str(error))


def clean_lines(
    line: int, given: Mapping[str, object], seen_at: datetime | None = None
) -> list[Line]:
    """Clean a line of fields as a source writes them (customers.ingest.fields.ORDER, and attributes of the order).

    Returns the line, and the refund that it speaks of. `seen_at` is the time of an order that gives none. Raises Refused for a missing or
    invalid field.
    """
    return complete_lines(line, clean_fields(given, ORDER), seen_at=seen_at)


def complete_lines(
    line: int, row: Mapping[str, Any], *, store: str = "", seen_at: datetime | None = None
) -> list[Line]:
    """Build a line, and the refund that it speaks of, from cleaned fields. Raises Refused for a missing one."""
    kind = _kind_of_row(row)
    required = ("order_id",) if kind else REQUIRED
    for name in required:
        if not row.get(name) and not (name == "placed_at" and seen_at):
            raise Refused(_("is missing."), name)
    customer, attributes = row.get("customer_id", ""), row.get("attributes")
    placed_at = row.get("placed_at")
    found = Line(
        line,
        row["order_id"],
        customer,
        _own_key(customer),
        (row.get("refunded_at") or row.get("cancelled_at") or placed_at) if kind else placed_at,
        seen_at,
        row.get("store") or store,
        _currency_of_row(row),
        kind,
        row.get("refund_of", ""),
        row.get("sku", ""),
        row.get("name", ""),
        row.get("quantity", _ONE),
        _amount_of_line(row),
        row.get("discount", _NOTHING),
        row.get("order_amount"),
        json.dumps(attributes) if attributes else None,
    )
    refund = None if kind else _refund_of_row(row, found)
    return [found, refund] if refund else [found]


def _amount_of_line(row: Mapping[str, Any]) -> Decimal:
    if "amount" not in row and "unit_price" in row:
        return Decimal(row["unit_price"] * row.get("quantity", _ONE))
    return Decimal(row.get("amount", _NOTHING))


def _currency_of_row(row: Mapping[str, Any]) -> str:
    """Return the currency that a row states, by its field or by marks next to its amounts. Raises Refused for several."""
    marked = {each.currency for each in row.values() if isinstance(each, clean.ForeignAmount)}
    stated = marked | {row.get("currency", "")} - {""}
    if len(stated) > 1:
        raise Refused(_("It has amounts in %s.") % ", ".join(sorted(stated)), "currency")
    return "".join(stated)


def _kind_of_row(row: Mapping[str, Any]) -> str:
    """Return the kind of a row that is itself a refund, else an empty text."""
    kind, state = row.get("type", ""), row.get("status", "")
    is_amountless = not {"order_amount", "amount", "unit_price"} & row.keys()
    if state == UNPAID:
        raise Refused(_("An order of this state was never paid, so it is not recorded."), "status")
    if state == AWAITING:
        raise Refused(
            _(
                "An order of this state is not paid yet, so it is not recorded. Send it again when it is, or without its state."
            ),
            "status",
        )
    if kind not in ("", _ORDER):
        return str(kind)
    if row.get("refund_of") and row["refund_of"] != row.get("order_id"):
        return str(state if state in _ALL_BACK else _REFUND)
    if (row.get("order_amount") or 0) < 0:
        return str(state if state in _ALL_BACK else _REFUND)
    if is_amountless and not row.get("refunded"):
        return str(state) if state in _ALL_BACK else ""
    return ""


_ALL_BACK = {Order.Kind.REFUND, Order.Kind.CANCELLATION, Order.Kind.RETURN}


def _refund_of_row(row: Mapping[str, Any], order: Line) -> Line | None:
    """Return the refund that the row of an order speaks of: of a given amount, or of all; None if it speaks of none."""
    state, refunded = row.get("status", ""), row.get("refunded")
    if row.get("cancelled_at"):
        state = _CANCELLATION
    if state == PARTLY and not refunded:
        raise Refused(_("Give the refunded amount."), "refunded")
    if state not in _ALL_BACK and not refunded:
        return None
    is_part = bool(refunded) and state != _CANCELLATION
    return order._replace(
        kind=str(state if state in _ALL_BACK else _REFUND),
        refunded_order=order.order_id,
        placed_at=row.get("refunded_at") or row.get("cancelled_at") or order.placed_at,
        sku="",
        name="",
        quantity=_NOTHING,
        amount=_NOTHING,
        discount=_NOTHING,
        order_amount=-abs(refunded) if is_part and refunded else None,
        attributes=None,
    )


def record_refund(order: Order, refund_id: str, given: Mapping[str, object]) -> None:
    """Record a refund of an order under an id of its own, with its `order_amount`, `placed_at` and attributes. Raises Refused."""
    whose = {"customer_id": ids.encode("cus", order.customer_id), "store": order.store}
    about = {"order_id": refund_id, "refund_of": order.external_id, "type": _REFUND}
    (result,) = write_orders(
        [clean_lines(1, {**given, **whose, **about, "currency": order.currency})]
    )
    if result.pk is None:
        raise Refused(result.reason)


def write_orders(
    given: Sequence[Sequence[Line]], *, create_missing: bool = False, evidence: str = ""
) -> list[OrderResult]:
    """Write whole orders and refunds, some thousands at most, each given by its lines; return results in their order.

    Orders of one id that differ in nothing but their store are staged as one, and have one result.
    """
    numbers = count(1)
    orders = [[line._replace(line=next(numbers)) for line in lines] for lines in given]
    with staging() as staged:
        staged.add(chain.from_iterable(orders))
        staged.assemble(create_missing=create_missing, evidence=evidence)
        staged.write()
        found = staged.results()
    firsts = [lines[0] for lines in orders]
    merged = {(each.order_id, each.kind): found[each.line] for each in firsts if each.line in found}
    return [found.get(each.line) or merged[each.order_id, each.kind] for each in firsts]


def write_lines(
    numbers: Sequence[int],
    columns: Mapping[str, Sequence[str]],
    fields: Mapping[str, Field] = ORDER,
    store: str = "",
) -> list[WrittenLine]:
    """Build many lines for the staging table from columns of cells. Raises ValueError where clean_lines() refuses or splits one of them."""

    def column(name: str, empty: str = "") -> Iterable[str]:
        return fields[name].write_column(columns[name], empty) if name in columns else repeat(empty)

    if any(
        not set(column(name)) <= {"", _ORDER, "0.00"} for name in ABOUT_REFUNDS if name in columns
    ):
        raise Refused(_("is about a refund."))
    required = [list(column(name)) for name in REQUIRED]
    if any("" in cells for cells in required):
        raise Refused(_("is missing."))
    if "order_amount" in columns and any(cell[:1] == "-" for cell in column("order_amount")):
        raise Refused(_("is about a refund."))
    order_ids, customers, placed_at = required
    quantities, amounts = column("quantity", str(_ONE)), column("amount", str(_NOTHING))
    if "unit_price" in columns:
        amounts = [
            amount or (str(Decimal(price) * Decimal(quantity)) if price else str(_NOTHING))
            for amount, price, quantity in zip(
                column("amount"), column("unit_price"), quantities, strict=False
            )
        ]
    return list(
        zip(
            numbers,
            order_ids,
            customers,
            _own_keys(customers),
            placed_at,
            repeat(""),
            column("store", store),
            column("currency"),
            repeat(""),
            repeat(""),
            column("sku"),
            column("name"),
            quantities,
            amounts,
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


def _own_keys(customers: Sequence[str]) -> Iterable[int | None]:
    if "\ncus_" in "\n".join(["", *customers]):
        return map(_own_key, customers)
    return repeat(None)


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
            for statement in order_sql.FIND_BUYERS:
                cursor.execute(statement)
        if create_missing:
            self._create_missing(evidence)
        with connection.cursor() as cursor:
            cursor.execute(order_sql.REFUSE, _reasons())
            cursor.execute("SELECT count(*) FROM staged_order")
            return int(cursor.fetchone()[0])

    def write(self, *, progress: Callable[[float], None] = lambda done: None) -> Counts:
        """Write the valid orders, then the refunds, a batch a transaction; few are one transaction."""
        with connection.cursor() as cursor:
            cursor.execute(order_sql.LAST)
            last_order, last = cursor.fetchone()
        counts = Counts()
        is_one = last <= BATCH
        with transaction.atomic() if is_one else nullcontext():
            for batch, first, end in (
                *((order_sql.BATCH_OF_ORDERS, *span) for span in _spans(1, last_order)),
                *((order_sql.BATCH_OF_REFUNDS, *span) for span in _spans(last_order + 1, last)),
            ):
                _write_batch(batch, first, end, counts)
                if not is_one:
                    progress(end / last)
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

    def results(self) -> dict[int, OrderResult]:
        """Return the result of each order or refund by the number of its first line."""
        with connection.cursor() as cursor:
            cursor.execute(order_sql.RESULTS)
            return {
                line: OrderResult(Outcome(outcome), pk, reason)
                for line, outcome, pk, reason in cursor.fetchall()
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


def _spans(first: int, last: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + BATCH - 1, last)) for start in range(first, last + 1, BATCH))


def _write_batch(batch: str, first: int, last: int, counts: Counts) -> None:
    given: dict[str, Any] = {
        "first": first,
        "last": last,
        **_reasons(),
        "site_currency": settings.CURRENCY,
        "site_zone": settings.TIME_ZONE,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (*order_sql.START, batch, *order_sql.WRITE):
            cursor.execute(statement, given)
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
        "unknown_order": _(
            "There is no order “%(order)s”. Send the customer, so that the refund can wait for its order."
        ),
        "other_customer": _(
            "The order “%(order)s” belongs to another customer. If it is another shop's order, give its store."
        ),
        "twice": _("An earlier row is the same order. Give the store of both."),
        "two_customers": _("The lines of this order name different customers."),
        "too_large": _("The amount of this order is too large."),
    }
