"""Queries that a person waits for: they are given so long, and no longer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled


class TookTooLong(Exception):
    """The database was still at work when the time was over."""


def milliseconds_until(deadline: float) -> int:
    """From now to a moment of time.monotonic(). At least one: PostgreSQL takes none for no limit."""
    return max(round((deadline - time.monotonic()) * 1000), 1)


@contextmanager
def patience(milliseconds: int) -> Iterator[None]:
    """End every statement inside that takes longer. Raises TookTooLong."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            before = cursor.fetchone()[0]
            _set_timeout(f"{milliseconds}ms")
            yield
            _set_timeout(before)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from None
        raise


def _set_timeout(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [value])
