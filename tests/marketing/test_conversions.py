"""An order counts once, for the last message clicked within the goal window."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from customers.models import Customer, Interaction, Order
from marketing.models import CampaignExecution
from marketing.tracking.conversions import count_orders
from marketing.tracking.engagement import MessageEvent, record
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_execution, make_run

pytestmark = pytest.mark.django_db

NOON = timezone.now().replace(microsecond=0) - timedelta(days=20)


def clicked_message(
    customer: Customer, at: datetime, *, simulated: bool = False
) -> CampaignExecution:
    run = make_run(make_campaign(goal_window_days=7), simulated=simulated)
    execution = make_execution(run, customer, state="sent", sent_at=at)
    record([MessageEvent(execution.pk, "message_clicked", at)])
    return execution


@pytest.mark.parametrize(
    ("after", "counts"),
    [
        (timedelta(0), True),
        (timedelta(days=6, hours=23), True),
        (timedelta(days=7), False),
        (-timedelta(seconds=1), False),
    ],
)
def test_only_orders_within_the_window_count(after: timedelta, counts: bool) -> None:
    customer = make_customer()
    execution = clicked_message(customer, NOON)
    order = make_order(customer, amount=Decimal("12.50"), placed_at=NOON + after)

    assert count_orders([order.pk]) == int(counts)
    execution.refresh_from_db()
    assert execution.revenue == (Decimal("12.50") if counts else 0)
    assert (execution.converted_at is not None) == counts


def test_an_order_counts_for_the_last_clicked_message() -> None:
    customer = make_customer()
    first = clicked_message(customer, NOON)
    last = clicked_message(customer, NOON + timedelta(days=1))
    order = make_order(customer, amount=Decimal(10), placed_at=NOON + timedelta(days=2))

    count_orders([order.pk])

    first.refresh_from_db()
    last.refresh_from_db()
    assert (first.revenue, last.revenue) == (0, Decimal(10))


def test_an_order_recorded_again_counts_once() -> None:
    customer = make_customer()
    execution = clicked_message(customer, NOON)
    order = make_order(customer, amount=Decimal(10), placed_at=NOON)

    assert (count_orders([order.pk]), count_orders([order.pk])) == (1, 0)
    execution.refresh_from_db()
    assert execution.revenue == Decimal(10)


def test_two_orders_after_one_click_add_up() -> None:
    customer = make_customer()
    execution = clicked_message(customer, NOON)
    orders = [make_order(customer, amount=Decimal(amount), placed_at=NOON) for amount in (10, 5)]

    count_orders(order.pk for order in orders)

    execution.refresh_from_db()
    assert execution.revenue == Decimal(15)
    rows = Interaction.objects.filter(type="message_converted").order_by("id")
    assert [row.properties["first"] for row in rows] == [True, False]
    assert {row.properties["order"] for row in rows} == {order.external_id for order in orders}


def test_refunds_and_simulated_clicks_do_not_count() -> None:
    customer, other, imagined = make_customer(), make_customer(), make_customer()
    clicked_message(customer, NOON)
    clicked_message(imagined, NOON, simulated=True)
    orders = [
        make_order(customer, amount=Decimal(-10), placed_at=NOON),
        make_order(other, amount=Decimal(10), placed_at=NOON),
        make_order(imagined, amount=Decimal(10), placed_at=NOON),
    ]
    assert count_orders(order.pk for order in orders) == 0


def test_a_refund_or_a_rate_corrects_the_revenue() -> None:
    customer = make_customer()
    execution = clicked_message(customer, NOON)
    order = make_order(customer, amount=Decimal(80), placed_at=NOON, rate=None)
    for change, revenue in (
        ({}, 0),
        ({"rate": 2}, 160),
        ({"refunded": 30}, 100),
        ({"refunded": 80}, 0),
    ):
        Order.objects.filter(pk=order.pk).update(**change)
        for _again in range(2):
            count_orders([order.pk])
        execution.refresh_from_db()
        assert execution.revenue == revenue

    rows = Interaction.objects.exclude(type="message_clicked")
    assert sum(Decimal(row.properties.get("revenue", 0)) for row in rows) == 0
    assert rows.filter(type="message_converted").count() == 1
