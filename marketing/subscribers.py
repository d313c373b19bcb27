"""How marketing reacts to events: conversions, triggered campaigns, workflows and requests to confirm an opt-in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from crm.events import outbox
from crm.events.models import MarketingEvent
from crm.nudge import nudge
from customers import timeline
from customers.timeline import types
from customers.timeline.types import CONSENT_REQUESTED, ORDERS_RECORDED
from marketing import campaigns, tracking, workflows


@outbox.follows(ORDERS_RECORDED, name="count orders as conversions")
def count_orders(events: Sequence[MarketingEvent]) -> None:
    tracking.count_orders(pk for event in events for pk in event.data["order_ids"])


@timeline.follows(name="count goal events as conversions")
def count_events(rows: Sequence[timeline.Row]) -> None:
    tracking.count_events(rows)


@timeline.follows(name="start triggered campaigns")
def start_triggered_campaigns(rows: Sequence[timeline.Row]) -> None:
    campaigns.react(rows)


@timeline.follows(name="start and wake workflows")
def start_and_wake_workflows(rows: Sequence[timeline.Row]) -> None:
    workflows.react_to_events(rows)


@outbox.follows(
    types.CUSTOMERS_CHANGED,
    types.CUSTOMERS_SCORED,
    types.CUSTOMER_UNSUBSCRIBED,
    types.SEGMENT_ENTERED,
    types.SEGMENT_EXITED,
    name="start and wake workflows after changes",
)
def react_to_changes(events: Sequence[MarketingEvent]) -> None:
    changed: set[int] = set()
    segments: dict[tuple[str, str], list[MarketingEvent]] = defaultdict(list)
    for event in events:
        match event.type:
            case types.CUSTOMERS_CHANGED:
                changed.update(event.data["updated"])
            case types.CUSTOMERS_SCORED:
                changed.update(event.data["customers"])
            case types.SEGMENT_ENTERED:
                segments[event.subject, "entered"].append(event)
            case types.SEGMENT_EXITED:
                segments[event.subject, "left"].append(event)
        if event.customer_id:
            changed.add(event.customer_id)
    for (slug, way), moved in segments.items():
        customers = [each.customer_id for each in moved if each.customer_id]
        workflows.enter_by_segment(slug, way, customers, moved[-1].time)
    workflows.react_to_changes(changed)


@outbox.follows(CONSENT_REQUESTED, name="request opt-in confirmations")
def request_confirmations(events: Sequence[MarketingEvent]) -> None:
    customers = [event.customer_id for event in events if event.customer_id]
    nudge("marketing.tasks.send_confirmations", customers)
