"""Delete many rows in short transactions."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from crm.queues import give_way

CHUNK = 5_000


def delete_in_chunks(rows: QuerySet[Any]) -> int:
    """Delete the rows, and what cascades, CHUNK at a time; return how many.

    Until a transaction that writes ends, no reader of events gets past it (crm.events.columns).
    """
    deleted = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        deleted += rows.model._base_manager.filter(pk__in=ids).delete()[0]
        give_way()
    return deleted
