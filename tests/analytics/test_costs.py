"""Costs are entered once, per message or per click; provider prices count automatically."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from analytics.models import CampaignMetrics
from analytics.returns import (
    Cost,
    incremental_revenue,
    paid_back_on,
    payback,
    replace_costs,
    roi_of,
)
from crm.api import ids
from marketing.models import Campaign
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_execution, make_run, make_sender

pytestmark = pytest.mark.django_db


def test_costs_per_message_and_click_follow_the_counters() -> None:
    campaign = _sent(200, clicks=30)
    replace_costs(
        campaign,
        [
            Cost("design", Decimal(50)),
            Cost("provider", Decimal("0.01"), "message"),
            Cost("network", Decimal("0.5"), "click"),
        ],
    )

    assert roi_of(campaign).costs == {
        "design": Decimal(50),
        "network": Decimal(15),
        "provider": Decimal(2),
    }


def test_the_message_price_of_a_sender_is_a_cost() -> None:
    campaign = _sent(200, sender=make_sender(cost_per_message=Decimal("0.02")))

    assert roi_of(campaign).costs == {"messages": Decimal(4)}


def test_an_entered_message_cost_replaces_the_sender_price() -> None:
    campaign = _sent(200, sender=make_sender(cost_per_message=Decimal("0.02")))
    replace_costs(campaign, [Cost("mailing", Decimal("0.03"), "message")])

    assert roi_of(campaign).costs == {"mailing": Decimal(6)}


def test_payback_is_the_day_revenue_stays_above_cost() -> None:
    campaign = make_campaign()
    run = make_run(campaign)
    for day, revenue in ((1, 0), (2, 60), (4, 60)):
        CampaignMetrics.objects.create(
            run=run, hour=datetime(2025, 5, day, 12, tzinfo=UTC), revenue=revenue
        )

    days = payback(campaign, Decimal(100))

    assert [(each.earned, each.profit) for each in days] == [(0, -100), (60, -40), (120, 20)]
    assert paid_back_on(days) == date(2025, 5, 4)
    assert paid_back_on(payback(campaign, Decimal(500))) is None
    assert paid_back_on(payback(campaign, None)) is None


def test_incremental_revenue_is_the_difference_to_the_holdout() -> None:
    campaign = make_campaign(holdout_percent=50)
    start = timezone.now() - timedelta(days=2)
    run = make_run(campaign, started_at=start)
    for amount, state, reason in (
        (30, "sent", ""),
        (10, "sent", ""),
        (5, "skipped", "holdout"),
        (0, "skipped", "holdout"),
    ):
        customer = make_customer()
        make_execution(run, customer, state=state, skip_reason=reason)
        if amount:
            make_order(customer, amount, start + timedelta(days=1))

    found = incremental_revenue(campaign)

    assert found is not None
    assert (found.per_recipient, found.per_holdout) == (20.0, 2.5)
    assert found.revenue == pytest.approx(35.0)
    low, high = found.revenue_interval
    assert low < 35 < high


def test_incremental_revenue_is_unknown_without_a_holdout(api: APIClient) -> None:
    campaign = _sent(10)

    answer = api.get(f"/api/analytics/campaigns/{ids.encode('cmp', campaign.pk)}/roi").json()

    assert answer["incremental"] is None
    assert answer["payback"][0]["profit"] is None


def test_costs_are_entered_by_basis_over_the_api(api: APIClient) -> None:
    campaign = _sent(100)

    answer = api.post(
        f"/api/analytics/campaigns/{ids.encode('cmp', campaign.pk)}/roi",
        {"costs": [{"kind": "sms", "amount": "0.045", "basis": "message"}]},
    )

    assert answer.json()["cost"] == "4.50"


def _sent(number: int, clicks: int = 0, **fields: object) -> Campaign:
    campaign = make_campaign(**fields)
    CampaignMetrics.objects.create(
        run=make_run(campaign), hour=timezone.now(), sent=number, clicks=clicks
    )
    return campaign
