"""Add and remove tags of many customers in one statement."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction

from customers.identity import emit_changed

_ADD = """
    UPDATE customers_customer SET
        tags = tags || ARRAY(SELECT tag FROM unnest(%(tags)s::varchar[]) AS tag WHERE tag <> ALL(tags)),
        updated_at = now()
    WHERE id = ANY(%(ids)s) AND NOT tags @> %(tags)s::varchar[]
    RETURNING id
"""
_REMOVE = """
    UPDATE customers_customer SET
        tags = ARRAY(
            SELECT tag FROM unnest(tags) WITH ORDINALITY AS held(tag, place)
            WHERE tag <> ALL(%(tags)s::varchar[]) ORDER BY place
        ),
        updated_at = now()
    WHERE id = ANY(%(ids)s) AND tags && %(tags)s::varchar[]
    RETURNING id
"""
_LOCK = "SELECT FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


def add(tags: Sequence[str], customer_ids: Sequence[int]) -> int:
    """Add missing tags; returns how many customers changed."""
    return _change(_ADD, tags, customer_ids)


def remove(tags: Sequence[str], customer_ids: Sequence[int]) -> int:
    """Remove tags; returns how many customers changed."""
    return _change(_REMOVE, tags, customer_ids)


def _change(sql: str, tags: Sequence[str], customer_ids: Sequence[int]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(customer_ids)])
        cursor.execute(sql, {"tags": list(tags), "ids": list(customer_ids)})
        changed = sorted(row[0] for row in cursor.fetchall())
        emit_changed([], changed)
    return len(changed)
