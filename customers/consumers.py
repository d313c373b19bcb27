"""How segments react to what happens to customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from crm.events.consume import consumer
from crm.events.models import MarketingEvent
from customers import announce, events, reactions
from customers.models import Order
from customers.segments import dependencies, incremental


@consumer(
    events.CUSTOMERS_CHANGED,
    events.CUSTOMERS_MERGED,
    events.CUSTOMERS_UNMERGED,
    events.CUSTOMER_UNSUBSCRIBED,
    events.CUSTOMER_ERASED,
    events.CUSTOMERS_SCORED,
    events.ORDERS_RECORDED,
    events.SEGMENT_ENTERED,
    events.SEGMENT_EXITED,
)
def follow_changes(happened: Sequence[MarketingEvent]) -> None:
    """Segments whose rules read what changed look at those people again; whoever reacts to orders is told."""
    changes: dict[str, set[int]] = defaultdict(set)
    orders: list[int] = []
    for event in happened:
        match event.type:
            case events.CUSTOMERS_CHANGED:
                changes[dependencies.ANYTHING].update(event.data["created"])
                changes[dependencies.CUSTOMER].update(event.data["updated"])
            case events.CUSTOMERS_MERGED | events.CUSTOMERS_UNMERGED:
                changes[dependencies.ANYTHING].update(
                    (event.data["survivor"], event.data["duplicate"])
                )
            case events.CUSTOMERS_SCORED:
                changes[dependencies.CUSTOMER].update(event.data["customers"])
            case events.ORDERS_RECORDED:
                orders += event.data["order_ids"]
                changes[dependencies.ORDERS].update(event.data["previous_customer_ids"])
            case events.SEGMENT_ENTERED | events.SEGMENT_EXITED if event.customer_id:
                changes[f"{dependencies.SEGMENT}{event.subject}"].add(event.customer_id)
            case _ if event.customer_id:
                changes[dependencies.ANYTHING].add(event.customer_id)
    buyers = Order.objects.filter(pk__in=orders).values_list("customer_id", flat=True)
    changes[dependencies.ORDERS].update(buyers)
    incremental.changed(changes)
    reactions.tell(events.ORDER_PLACED, orders)


@consumer(events.CUSTOMERS_CHANGED)
def announce_customers(happened: Sequence[MarketingEvent]) -> None:
    """Of each batch, an event a customer for the outside."""
    announce.customers(happened)
