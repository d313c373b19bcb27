"""Columns of event tables: a UUIDv7, and the transaction that wrote the row, which shows a reader which rows are final.

A sequence alone is no safe cursor: a row with a lower number can commit after a row with a higher one has been read. PostgreSQL's
64-bit transaction id can serve instead: every transaction below `pg_snapshot_xmin(pg_current_snapshot())` has ended, so the rows
before that horizon, read in the order (transaction, position), never change. See "Transaction ID and snapshot information
functions" in the PostgreSQL manual.
"""

from __future__ import annotations

from typing import Any

from django.db import models

HORIZON = "pg_snapshot_xmin(pg_current_snapshot())"

# uuidv7() comes with PostgreSQL 18; this is the same layout on 15 and up: 48 bits of Unix milliseconds laid over a random
# version-4 UUID, whose version nibble 0100 becomes 0111 by setting two bits.
UUID7_SQL = (
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) "
    "placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) "
    "from 1 for 6), 52, 1), 53, 1), 'hex')::uuid"
)


class Uuid7(models.Func):
    """Generate a UUID of version 7 (RFC 9562), so that set-based inserts get time-ordered ids too."""

    template = UUID7_SQL
    arity = 0
    output_field = models.UUIDField()


class CurrentTransactionId(models.Func):
    template = "pg_current_xact_id()"
    arity = 0


class TransactionIdField(models.Field):
    """An `xid8` column that PostgreSQL fills with the id of the inserting transaction."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        return "%s::text::xid8"

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else str(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)
