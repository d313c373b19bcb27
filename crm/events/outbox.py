"""The one door into the outbox: an event is written with the change that it tells of, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection

from crm.events.models import MarketingEvent

OURS = "kindling"
"""The source of what happened here; programs outside name themselves."""


class NotInTransaction(RuntimeError):
    """An event was emitted outside of a transaction, so nothing would tie it to its change."""


def emit(
    type: str,
    *,
    subject: str = "",
    customer_id: int | None = None,
    data: Mapping[str, Any] | None = None,
    source: str = OURS,
) -> MarketingEvent:
    """Write one event of `type` (`noun.verb`) in the caller's transaction and return it.

    Raises NotInTransaction when there is none.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction(type)
    return MarketingEvent.objects.create(
        type=type, source=source, subject=subject, customer_id=customer_id, data=dict(data or {})
    )


INSERT_SQL = "INSERT INTO events_marketingevent (type, subject, customer_id, data)"
"""For set-based writers: continue with `SELECT type, subject, customer_id, jsonb …` in the statement of the change."""

INSERT_AT_SQL = "INSERT INTO events_marketingevent (type, subject, customer_id, data, time)"
"""The same for what happened at a time of its own."""
