"""Set attributes of many customers in one statement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from customers.identity import emit_changed

_SET = """
    WITH wanted AS MATERIALIZED (
        SELECT id, wanted.attributes FROM customers_customer AS customer
        JOIN unnest(%s::bigint[], %s::jsonb[]) AS wanted (customer, attributes) ON wanted.customer = id
        WHERE erased_at IS NULL AND customer.attributes || wanted.attributes <> customer.attributes
        ORDER BY id FOR NO KEY UPDATE OF customer
    )
    UPDATE customers_customer AS customer SET attributes = customer.attributes || wanted.attributes, updated_at = now()
    FROM wanted WHERE customer.id = wanted.id RETURNING customer.id
"""


def set_attributes(values: Mapping[int, Mapping[str, Any]]) -> int:
    """Set attributes of customers, by their key; the others stay. Returns how many customers changed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SET, [list(values), [json.dumps(each) for each in values.values()]])
        changed = sorted(row[0] for row in cursor.fetchall())
        emit_changed([], changed)
    return len(changed)
