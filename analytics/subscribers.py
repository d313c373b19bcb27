"""How analytics reacts to events: profiles and the counters of campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from analytics import background_cache, metrics
from analytics.people import refresh_profiles, update_profiles
from crm.events import outbox
from crm.events.feeds import Batch
from crm.events.models import MarketingEvent
from customers import timeline
from customers.models import Order
from customers.timeline import types

NOT_URGENT = frozenset({types.MESSAGE_SENT, types.MESSAGE_DELIVERED})
"""Events whose customers wait for the nightly rebuild of profiles."""


@outbox.follows(
    types.CUSTOMERS_CHANGED,
    types.CUSTOMERS_MERGED,
    types.CUSTOMERS_UNMERGED,
    types.ORDERS_RECORDED,
    name="refresh profiles after changes",
)
def refresh_profiles_after_changes(events: Sequence[MarketingEvent]) -> None:
    """Refresh the profiles of changed customers, and of customers whose orders changed."""
    people: set[int] = set()
    orders: list[int] = []
    for event in events:
        match event.type:
            case types.CUSTOMERS_CHANGED:
                people.update(event.data["created"], event.data["updated"])
            case types.CUSTOMERS_MERGED | types.CUSTOMERS_UNMERGED:
                people.update((event.data["survivor"], event.data["duplicate"]))
            case _:
                orders += event.data["order_ids"]
    people.update(Order.objects.filter(pk__in=orders).values_list("customer_id", flat=True))
    update_profiles(sorted(people))


@outbox.follows(
    types.CUSTOMERS_CHANGED,
    types.CUSTOMERS_MERGED,
    types.CUSTOMERS_UNMERGED,
    types.CUSTOMERS_SCORED,
    types.CUSTOMER_ERASED,
    types.ORDERS_RECORDED,
    name="refresh figures after changes",
)
def refresh_figures_after_changes(events: Sequence[MarketingEvent]) -> None:
    background_cache.mark_changed()


@timeline.follows(name="refresh profiles after events", every=timedelta(seconds=10))
def refresh_profiles_after_events(rows: Sequence[timeline.Row]) -> None:
    """Refresh the profiles of these events' customers."""
    refresh_profiles(sorted({row.customer_id for row in rows if row.type not in NOT_URGENT}))


@timeline.follows_ranges(name=metrics.SUBSCRIBER, limit=20_000)
def count_messages(batch: Batch) -> None:
    metrics.add(batch)
