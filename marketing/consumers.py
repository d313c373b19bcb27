"""How marketing reacts to what happens to customers."""

from __future__ import annotations

from collections.abc import Sequence

from crm.events.consume import consumer
from crm.events.models import MarketingEvent
from customers.events import ORDERS_RECORDED
from marketing.tracking import conversions


@consumer(ORDERS_RECORDED)
def count_conversions(recorded: Sequence[MarketingEvent]) -> None:
    conversions.count_orders(pk for event in recorded for pk in event.data["order_ids"])
