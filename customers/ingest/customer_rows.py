"""Rows that belong to a customer, many at a time: whose they are is looked up, and what is known already is merged."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db import connection, transaction

from customers.identity import resolve
from customers.identity.changes import emit_changed
from customers.ingest.staged_upsert import Column, Incoming, Written, merge, new_keys
from customers.ingest.upsert import Outcome, Result

Row = dict[str, Any]

ATTRIBUTES = Column("attributes", "jsonb", "'{}'", "old.{0} || coalesce(new.{0}, '{{}}')")
EXTERNAL_ID = Column("external_id")
OWNER = Column("customer_id", "bigint", "NULL")


@dataclass(frozen=True)
class Belongings:
    """A table of such rows: what tells one from another, and what follows when some were written."""

    table: str
    columns: Sequence[Column]
    key: Callable[[Row], Hashable]
    known: Callable[[Iterable[Row]], dict[Hashable, int]]
    follow: Callable[[Written, Sequence[int]], None]


def record(belongings: Belongings, rows: Sequence[Row]) -> list[Result]:
    """Write cleaned rows in one transaction; a row of nobody fails alone, and of two with one key the later wins.

    `customer_id` of a row is what the source calls the customer.
    """
    results = [Result(Outcome.FAILED) for _row in rows]
    places: dict[Hashable, list[int]] = {}
    values: dict[Hashable, Row] = {}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [belongings.table])
        owned = resolve.find(row["customer_id"] for row in rows)
        for place, row in enumerate(rows):
            owner = owned.get(row["customer_id"])
            if owner is None:
                results[place].reason = resolve.unknown(row["customer_id"])
                continue
            mine = row | {"customer_id": owner}
            key = belongings.key(mine)
            values.setdefault(key, {}).update(mine)
            places.setdefault(key, []).append(place)
        keys = belongings.known(values.values())
        fresh = [key for key in values if key not in keys]
        keys |= zip(fresh, new_keys(belongings.table, len(fresh)), strict=True)
        is_new = set(fresh)
        written = merge(
            belongings.table,
            belongings.columns,
            [Incoming(keys[key], key in is_new, row) for key, row in values.items()],
        )
        changed = {*written.created, *written.updated}
        touched = sorted(
            {row["customer_id"] for key, row in values.items() if keys[key] in changed}
        )
        if touched:
            belongings.follow(written, touched)
            emit_changed([], touched)
    for key, mine_at in places.items():
        for place in mine_at:
            outcome = Outcome.UPDATED if keys[key] in changed else Outcome.UNCHANGED
            results[place] = Result(outcome, keys[key])
        if key in is_new:
            results[mine_at[0]] = Result(Outcome.CREATED, keys[key])
    return results


def by_external_id(table: str) -> Callable[[Iterable[Row]], dict[Hashable, int]]:
    """Finds the rows of a table that are there already, by `external_id`."""

    def known(rows: Iterable[Row]) -> dict[Hashable, int]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT external_id, id FROM {table} WHERE external_id = ANY(%s)",
                [[row["external_id"] for row in rows]],
            )
            return dict(cursor.fetchall())

    return known


def digest(row: Row) -> str:
    """An id for a row whose source gives none, the same whenever the same is said."""
    said = repr(sorted((name, str(value)) for name, value in row.items()))
    return f"~{sha256(said.encode()).hexdigest()[:32]}"
