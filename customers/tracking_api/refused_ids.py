"""Note ids that tracking calls gave and that were refused, for the owner of the write key: each once, with how often it came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection


class RefusedId(NamedTuple):
    """A field of a call, its value if that stands for none, and the reason; no personal data."""

    field: str
    value: str
    reason: str


def note(write_key_id: int, refused: Iterable[RefusedId]) -> None:
    """Count refused ids of a write key."""
    rows = sorted(each._replace(value=each.value[:200]) for each in refused)
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_refusedid (write_key_id, field, value, reason, times)
            SELECT %s, field, value, reason, count(*) FROM unnest(%s::text[], %s::text[], %s::text[]) AS given(field, value, reason)
            GROUP BY field, value, reason ORDER BY field, value, reason
            ON CONFLICT (write_key_id, field, value, reason)
            DO UPDATE SET times = customers_refusedid.times + excluded.times, last_at = now()
            """,
            [write_key_id, *map(list, zip(*rows, strict=True))],
        )
