"""How marketing reacts to events: conversions, triggered campaigns and requests to confirm an opt-in."""

from __future__ import annotations

from collections.abc import Sequence

from crm.events import outbox
from crm.events.models import MarketingEvent
from crm.nudge import nudge
from customers import timeline
from customers.timeline.types import CONSENT_REQUESTED, ORDERS_RECORDED
from marketing import campaigns, tracking


@outbox.follows(ORDERS_RECORDED, name="count orders as conversions")
def count_orders(events: Sequence[MarketingEvent]) -> None:
    tracking.count_orders(pk for event in events for pk in event.data["order_ids"])


@timeline.follows(name="count goal events as conversions")
def count_events(rows: Sequence[timeline.Row]) -> None:
    tracking.count_events(rows)


@timeline.follows(name="start triggered campaigns")
def start_triggered_campaigns(rows: Sequence[timeline.Row]) -> None:
    campaigns.react(rows)


@outbox.follows(CONSENT_REQUESTED, name="request opt-in confirmations")
def request_confirmations(events: Sequence[MarketingEvent]) -> None:
    customers = [event.customer_id for event in events if event.customer_id]
    nudge("marketing.tasks.send_confirmations", customers)
