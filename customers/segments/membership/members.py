"""Static segments are lists: people are put on and taken off by hand, and the size and the events follow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from crm.events import outbox
from customers.models import Segment
from customers.segments.membership import sizes
from customers.timeline import types

ADD_SQL = f"""
WITH changed AS (
    INSERT INTO customers_segmentmembership (segment_id, customer_id)
    SELECT %(segment)s, id FROM customers_customer WHERE id = ANY(%(customers)s) ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING customer_id
), told AS (
    {outbox.INSERT_SQL}
    SELECT %(type)s, %(slug)s, customer_id, %(data)s::jsonb FROM changed
)
SELECT count(*) FROM changed
"""

REMOVE_SQL = f"""
WITH changed AS (
    DELETE FROM customers_segmentmembership
    WHERE segment_id = %(segment)s AND customer_id = ANY(%(customers)s)
    RETURNING customer_id
), told AS (
    {outbox.INSERT_SQL}
    SELECT %(type)s, %(slug)s, customer_id, %(data)s::jsonb FROM changed
)
SELECT count(*) FROM changed
"""


class NotStatic(ValueError):
    """The members of a dynamic segment follow its rules alone."""

    def __init__(self) -> None:
        super().__init__(
            _("The members of a dynamic segment follow its rules; only a static one is a list.")
        )


def add(segment: Segment, customer_ids: Sequence[int]) -> int:
    """Put customers on a static segment's list; returns how many were not on it. Raises NotStatic."""
    return _change(segment, ADD_SQL, types.SEGMENT_ENTERED, customer_ids, sign=1)


def remove(segment: Segment, customer_ids: Sequence[int]) -> int:
    """Take customers off a static segment's list; returns how many were on it. Raises NotStatic."""
    return _change(segment, REMOVE_SQL, types.SEGMENT_EXITED, customer_ids, sign=-1)


def _change(
    segment: Segment, sql: str, event: str, customer_ids: Sequence[int], *, sign: int
) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        locked = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
        if locked.kind != Segment.Kind.STATIC:
            raise NotStatic
        parameters: dict[str, Any] = {
            "segment": locked.pk,
            "customers": list(customer_ids),
            "type": event,
            "slug": locked.slug,
            "data": json.dumps({"segment": locked.slug}),
        }
        cursor.execute(sql, parameters)
        changed = int(cursor.fetchone()[0])
        locked.size = max(locked.size + sign * changed, 0)
        locked.save(update_fields=["size", "updated_at"])
        sizes.record(locked)
    segment.size = locked.size
    return changed
