"""Members of static segments, added and removed by hand; and the size of segments over time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.events import outbox
from customers.models import Segment, SegmentSize
from customers.timeline import types

ADD_SQL = f"""
WITH changed AS (
    INSERT INTO customers_segmentmembership (segment_id, customer_id)
    SELECT %(segment)s, id FROM customers_customer WHERE id = ANY(%(customers)s) ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING customer_id
), announced AS (
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
), announced AS (
    {outbox.INSERT_SQL}
    SELECT %(type)s, %(slug)s, customer_id, %(data)s::jsonb FROM changed
)
SELECT count(*) FROM changed
"""


class NotStatic(ValueError):
    """The segment is dynamic: its members follow its rules."""

    def __init__(self) -> None:
        super().__init__(
            _("The members of a dynamic segment follow its rules; only a static one is a list.")
        )


def add(segment: Segment, customer_ids: Sequence[int]) -> int:
    """Add customers to a static segment; return how many were no members. Raises NotStatic."""
    return _change(segment, ADD_SQL, types.SEGMENT_ENTERED, customer_ids, sign=1)


def remove(segment: Segment, customer_ids: Sequence[int]) -> int:
    """Remove customers from a static segment; return how many were members. Raises NotStatic."""
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
        record_size(locked)
    segment.size = locked.size
    return changed


MOST_SHOWN = 120


def record_size(segment: Segment, at: datetime | None = None) -> None:
    """Store the size of a locked segment if it changed."""
    last = segment.sizes.order_by("-at", "-pk").values_list("size", flat=True).first()
    if last != segment.size:
        SegmentSize.objects.create(segment=segment, at=at or timezone.now(), size=segment.size)


def size_history(segment: Segment) -> list[SegmentSize]:
    """Return the newest MOST_SHOWN changes of size, oldest first."""
    return list(segment.sizes.order_by("-at", "-pk")[:MOST_SHOWN])[::-1]
