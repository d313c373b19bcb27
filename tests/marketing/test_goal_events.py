"""A goal event after a click counts once, within the window, with its value."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from crm.events import reader
from customers.models import Interaction
from customers.timeline import NewInteraction, record_interactions
from marketing.models import CampaignExecution
from marketing.tracking import conversions
from marketing.tracking.engagement import MessageEvent, record
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_execution, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def execution() -> CampaignExecution:
    """Create a message, sent two days ago, of a campaign with a trial as its goal."""
    campaign = make_campaign(
        goal_kind="event", goal_event="Trial Started", goal_value="value", goal_window_days=3
    )
    at = timezone.now() - timedelta(days=2)
    return make_execution(make_run(campaign), make_customer(), state="sent", sent_at=at)


def count_events() -> int:
    """Run the subscriber; return the number of new conversions."""
    before = len(conversion_events())
    reader.catch_up("count goal events as conversions")
    return len(conversion_events()) - before


def click(execution: CampaignExecution, days_ago: float = 1, kind: str = "message_clicked") -> None:
    record([MessageEvent(execution.pk, kind, timezone.now() - timedelta(days=days_ago))])


def record_event(
    execution: CampaignExecution, kind: str = "Trial Started", **properties: Any
) -> None:
    record_interactions([NewInteraction(execution.customer_id, kind, timezone.now(), properties)])


def conversion_events() -> list[dict[str, Any]]:
    rows = Interaction.objects.filter(type="message_converted").order_by("pk")
    return [each.properties for each in rows]


def test_an_event_after_a_click_converts_with_its_value(
    execution: CampaignExecution,
) -> None:
    click(execution)
    record_event(execution, value="49.90")
    assert count_events() == 1
    (properties,) = conversion_events()
    assert properties["revenue"] == "49.90"
    execution.refresh_from_db()
    assert execution.converted_at is not None
    assert execution.revenue == Decimal("49.90")


def test_an_unconfirmed_event_converts_without_revenue(execution: CampaignExecution) -> None:
    """A browser sent it, where any visitor writes any value."""
    click(execution)
    record_event(execution, value="49999.90", unconfirmed=True)
    assert count_events() == 1
    assert "revenue" not in conversion_events()[0]
    execution.refresh_from_db()
    assert (execution.converted_at is not None, execution.revenue or 0) == (True, 0)


def test_an_event_counts_once(execution: CampaignExecution) -> None:
    click(execution)
    record_event(execution)
    count_events()
    event = Interaction.objects.get(type="Trial Started")
    assert conversions._attribute([event.pk]) == 0
    assert count_events() == 0
    assert len(conversion_events()) == 1


@pytest.mark.parametrize("value", ["soon", "NaN", "-5", "1e99", None, {"a": 1}])
def test_an_invalid_value_counts_without_revenue(
    execution: CampaignExecution, value: object
) -> None:
    click(execution)
    record_event(execution, value=value)
    assert count_events() == 1
    assert "revenue" not in conversion_events()[0]


def test_an_event_outside_the_window_does_not_count(
    execution: CampaignExecution,
) -> None:
    record_event(execution)
    click(execution, days_ago=4)
    record_event(execution)
    assert count_events() == 0


def test_a_bots_click_leads_to_no_conversion(execution: CampaignExecution) -> None:
    click(execution, kind="message_clicked_by_machine")
    record_event(execution)
    assert count_events() == 0


def test_other_events_and_orders_do_not_convert(execution: CampaignExecution) -> None:
    click(execution)
    record_event(execution, kind="Trial Ended")
    order = make_order(execution.customer)
    assert count_events() == 0
    assert conversions.count_orders([order.pk]) == 0


def test_an_order_counts_only_for_campaigns_with_an_order_goal(
    execution: CampaignExecution,
) -> None:
    shop = make_execution(make_run(), execution.customer, state="sent")
    click(shop, days_ago=1.5)
    click(execution, days_ago=1)
    order = make_order(execution.customer)
    assert conversions.count_orders([order.pk]) == 1
    assert Interaction.objects.get(type="message_converted").execution_id == shop.pk
