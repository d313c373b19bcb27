"""How customers' rooms react to events: segments, their triggers, and subscribers outside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from crm.events import outbox
from crm.events.feeds import Batch
from crm.events.models import MarketingEvent
from customers import timeline
from customers.models import Order
from customers.segments import dependencies, incremental, triggers
from customers.timeline import types


@outbox.follows(
    types.CUSTOMERS_CHANGED,
    types.CUSTOMERS_MERGED,
    types.CUSTOMERS_UNMERGED,
    types.CUSTOMER_UNSUBSCRIBED,
    types.CUSTOMER_ERASED,
    types.CUSTOMERS_SCORED,
    types.ORDERS_RECORDED,
    types.SEGMENT_ENTERED,
    types.SEGMENT_EXITED,
    name="refresh segments after changes",
)
def refresh_segments_after_changes(events: Sequence[MarketingEvent]) -> None:
    """Refresh the customers of these events in the segments whose rules read what changed."""
    changes: dict[str, set[int]] = defaultdict(set)
    orders: list[int] = []
    for event in events:
        match event.type:
            case types.CUSTOMERS_CHANGED:
                changes[dependencies.ANYTHING].update(event.data["created"])
                changes[dependencies.CUSTOMER].update(event.data["updated"])
            case types.CUSTOMERS_MERGED | types.CUSTOMERS_UNMERGED:
                changes[dependencies.ANYTHING].update(
                    (event.data["survivor"], event.data["duplicate"])
                )
            case types.CUSTOMERS_SCORED:
                changes[dependencies.CUSTOMER].update(event.data["customers"])
            case types.ORDERS_RECORDED:
                orders += event.data["order_ids"]
            case types.SEGMENT_ENTERED | types.SEGMENT_EXITED if event.customer_id:
                changes[f"{dependencies.SEGMENT}{event.subject}"].add(event.customer_id)
            case _ if event.customer_id:
                changes[dependencies.ANYTHING].add(event.customer_id)
    buyers = Order.objects.filter(pk__in=orders).values_list("customer_id", flat=True)
    changes[dependencies.ORDERS].update(buyers)
    incremental.changed(changes)


@timeline.follows(name="refresh segments after events")
def refresh_segments_after_events(rows: Sequence[timeline.Row]) -> None:
    """Refresh the customers of these events in the segments whose rules read events of their types."""
    changes: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        changes[dependencies.event_topic(row.type)].add(row.customer_id)
        changes[dependencies.TIMELINE].add(row.customer_id)
    incremental.changed(changes)


@timeline.follows(name="fire segment triggers")
def fire_triggers(rows: Sequence[timeline.Row]) -> None:
    triggers.fire(rows)


@outbox.follows(types.CUSTOMERS_CHANGED, name="publish customer events")
def publish_customers(events: Sequence[MarketingEvent]) -> None:
    timeline.publish_customers(events)


@timeline.follows_ranges(*types.PUBLIC, name="publish timeline events", limit=5_000)
def publish_rows(batch: Batch) -> None:
    timeline.publish_rows(batch)
