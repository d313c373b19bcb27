"""How marketing reacts to what happens to customers."""

from __future__ import annotations

from collections.abc import Sequence

from crm.events.consume import consumer
from crm.events.models import MarketingEvent
from crm.nudge import nudge
from customers.events import CONSENT_REQUESTED, ORDERS_RECORDED
from marketing.tracking import conversions


@consumer(ORDERS_RECORDED)
def count_conversions(recorded: Sequence[MarketingEvent]) -> None:
    conversions.count_orders(pk for event in recorded for pk in event.data["order_ids"])


@consumer(CONSENT_REQUESTED)
def ask_to_confirm(requested: Sequence[MarketingEvent]) -> None:
    customers = [event.customer_id for event in requested if event.customer_id]
    nudge("marketing.tasks.send_confirmations", customers)
