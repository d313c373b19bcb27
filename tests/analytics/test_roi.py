"""ROI is (revenue − cost) / cost, and unknown without a cost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from analytics.models import CampaignCost, CampaignMetrics
from analytics.returns import Cost, Roi, combined, replace_costs, roi_of
from marketing.models import Campaign
from tests.factories.marketing import make_campaign, make_run


def test_profit_and_roi_follow_from_revenue_and_cost() -> None:
    result = Roi(Decimal(500), 10, {"design": Decimal(120), "media": Decimal(80)})

    assert result.cost == 200
    assert result.profit == 300
    assert result.roi == Decimal("1.5")
    assert result.revenue_per_conversion == 50
    assert result.break_even_conversions == 4
    assert result.broke_even is True


def test_a_loss_is_negative() -> None:
    result = Roi(Decimal(50), 1, {"fixed": Decimal(200)})

    assert result.profit == -150
    assert result.roi == Decimal("-0.75")
    assert result.broke_even is False


def test_without_a_cost_there_is_no_roi_even_with_a_budget() -> None:
    result = Roi(Decimal(500), 10, budget=Decimal(1000))

    assert (result.cost, result.profit, result.roi, result.break_even_conversions) == (None,) * 4


def test_a_zero_cost_gives_a_profit_but_no_roi() -> None:
    result = Roi(Decimal(500), 10, {"fixed": Decimal(0)})

    assert result.profit == 500
    assert result.roi is None


def test_break_even_rounds_up_to_whole_conversions() -> None:
    assert Roi(Decimal(90), 3, {"fixed": Decimal(100)}).break_even_conversions == 4


def test_totals_include_only_campaigns_with_a_known_cost() -> None:
    both = combined([Roi(Decimal(300), 3, {"fixed": Decimal(100)}), Roi(Decimal(999), 9)])

    assert (both.revenue, both.cost, both.roi) == (300, 100, 2)


@pytest.mark.django_db
class TestOfCampaigns:
    @pytest.fixture
    def campaign(self) -> Campaign:
        campaign = make_campaign(budget=Decimal(900))
        run = make_run(campaign)
        CampaignMetrics.objects.create(
            run=run, hour=timezone.now(), converted=2, revenue=Decimal("250.50")
        )
        CampaignCost.objects.create(campaign=campaign, kind="media", amount=Decimal(70))
        CampaignCost.objects.create(campaign=campaign, kind="media", amount=Decimal(30))
        return campaign

    def test_costs_are_summed_by_kind(self, campaign: Campaign) -> None:
        result = roi_of(campaign)

        assert result.costs == {"media": Decimal(100)}
        assert result.profit == Decimal("150.50")
        assert result.budget == 900

    def test_entered_costs_replace_earlier_costs(self, campaign: Campaign) -> None:
        replace_costs(campaign, [Cost("design", Decimal(10)), Cost("media", Decimal(5))])

        assert roi_of(campaign).costs == {"design": Decimal(10), "media": Decimal(5)}
