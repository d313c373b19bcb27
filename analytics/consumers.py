"""How analytics reacts to what happens to customers."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.people import update_profiles
from crm.events.consume import consumer
from crm.events.models import MarketingEvent
from customers import events
from customers.models import Order


@consumer(
    events.CUSTOMERS_CHANGED,
    events.CUSTOMERS_MERGED,
    events.CUSTOMERS_UNMERGED,
    events.ORDERS_RECORDED,
)
def refresh_profiles(happened: Sequence[MarketingEvent]) -> None:
    """The profiles of those who changed, or whose orders did, are worked out again."""
    people: set[int] = set()
    orders: list[int] = []
    for event in happened:
        match event.type:
            case events.CUSTOMERS_CHANGED:
                people.update(event.data["created"], event.data["updated"])
            case events.CUSTOMERS_MERGED | events.CUSTOMERS_UNMERGED:
                people.update((event.data["survivor"], event.data["duplicate"]))
            case _:
                orders += event.data["order_ids"]
                people.update(event.data["previous_customer_ids"])
    people.update(Order.objects.filter(pk__in=orders).values_list("customer_id", flat=True))
    update_profiles(sorted(people))
