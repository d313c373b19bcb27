"""Cancel queries that take longer than the user can wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled


class QueryTimeout(Exception):
    """The database did not answer in time."""


def milliseconds_until(deadline: float) -> int:
    """Return the time until a moment of time.monotonic(); at least 1, because PostgreSQL reads 0 as no limit."""
    return max(round((deadline - time.monotonic()) * 1000), 1)


@contextmanager
def statement_timeout(milliseconds: int) -> Iterator[None]:
    """Cancel every statement in the block that takes longer. Raises QueryTimeout."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            before = cursor.fetchone()[0]
            _set_timeout(f"{milliseconds}ms")
            yield
            _set_timeout(before)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise QueryTimeout from None
        raise


def _set_timeout(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [value])
