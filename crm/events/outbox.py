"""The outbox: events are written in the transaction of the change that they report, and subscribers read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connection

from crm.events import catalog
from crm.events.feeds import LIMIT, Batch, Source, Subscriber, subscribe
from crm.events.models import MarketingEvent

OURS = "kindling"
"""The source of what happened here; programs outside name themselves."""


class NotInTransaction(RuntimeError):
    """An event was emitted outside of a transaction, so nothing ties it to its change."""


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
    event = MarketingEvent(
        type=type, source=source, subject=subject, customer_id=customer_id, data=dict(data or {})
    )
    return MarketingEvent.objects.bulk_create([event])[0]  # a new row has no masks to check


INSERT_SQL = "INSERT INTO events_marketingevent (type, subject, customer_id, data)"
"""For set-based writers: continue with `SELECT type, subject, customer_id, jsonb …` in the statement of the change."""

INSERT_AT_SQL = "INSERT INTO events_marketingevent (type, subject, customer_id, data, time)"
"""The same for what happened at a time of its own."""


def _fetch(condition: str, parameters: dict[str, Any]) -> list[MarketingEvent]:
    return list(
        MarketingEvent.objects.raw(
            f"SELECT * FROM events_marketingevent WHERE {condition} ORDER BY transaction, position",
            parameters,
        )
    )


SOURCE = Source("outbox", "events_marketingevent", "position", _fetch)

Handler = Callable[[Sequence[MarketingEvent]], None]


def follows(*types: str, name: str, limit: int = LIMIT) -> Callable[[Handler], Handler]:
    """Decorate a function to handle batches of events of these types, in order. `name` identifies its cursor."""

    def register(handle: Handler) -> Handler:
        subscribe(Subscriber(name, SOURCE, _rows(handle), frozenset(types), limit=limit))
        return handle

    return register


def follows_public(*, name: str) -> Callable[[Handler], Handler]:
    """Decorate a function to handle batches of all events that are not internal (crm.events.catalog)."""

    def register(handle: Handler) -> Handler:
        subscribe(Subscriber(name, SOURCE, _rows(handle), excluded=catalog.internal))
        return handle

    return register


def _rows(handle: Handler) -> Callable[[Batch], None]:
    return lambda batch: handle(batch.rows())
