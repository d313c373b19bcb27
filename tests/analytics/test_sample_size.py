"""The sample size calculator plans a test from given figures or from past orders of an audience."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from scipy import stats

from analytics.days import as_of
from analytics.experiments import SampleSizePlan, purchases_of
from customers.models import Customer, Segment, SegmentMembership
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_variants

PAGE = reverse("admin:analytics_sample_size")
RANDOM = np.random.default_rng(11)


def test_the_sample_size_for_means_matches_published_values() -> None:
    """Compare with Chow et al. 2017, 3.2.2: difference 5 (here a lift of 1 on 5), deviation 10, 80 % power: 63 per variant."""
    assert SampleSizePlan(5, 1, deviation=10).per_arm == 63


def test_the_power_for_means_matches_repeated_tests() -> None:
    per_arm, mean, deviation, lift = 400, 20.0, 30.0, 0.25
    expected = SampleSizePlan(mean, lift, deviation).power_with(per_arm)
    one = RANDOM.normal(mean, deviation, (4_000, per_arm))
    other = RANDOM.normal(mean * (1 + lift), deviation, (4_000, per_arm))

    seen = stats.ttest_ind(one, other, axis=1, equal_var=False).pvalue < 0.05

    assert seen.mean() == pytest.approx(expected, abs=0.025)


@pytest.mark.parametrize("deviation", [None, 45.0])
@pytest.mark.parametrize("arms", [2, 4])
def test_sample_size_power_and_lift_agree(deviation: float | None, arms: int) -> None:
    plan = SampleSizePlan(
        base=0.2 if deviation is None else 20.0, lift=0.1, deviation=deviation, arms=arms
    )
    assert plan.per_arm is not None
    assert plan.power_with(plan.per_arm) == pytest.approx(0.8, abs=0.002)
    assert plan.power_with(plan.per_arm - 50) < 0.8
    assert plan.smallest_lift_with(plan.per_arm) == pytest.approx(0.1, rel=0.002)


def test_a_test_ends_when_the_last_window_closes() -> None:
    plan = SampleSizePlan(base=0.1, lift=0.1, per_day=1_000, days=7)
    assert plan.total is not None
    assert plan.duration == -(-plan.total // 1_000) + 7
    assert SampleSizePlan(base=0.1, lift=0.1).duration is None


@pytest.mark.django_db
def test_spend_has_the_mean_and_variance_of_all_amounts() -> None:
    last = timezone.localdate()
    spent = [[10, 15], [40], [], [20, -20]]
    for amounts in spent:
        customer = make_customer()
        for amount in amounts:
            make_order(customer, amount)
        make_order(customer, 1_000, timezone.now() - timedelta(days=40))
    each = [sum(amounts) for amounts in spent]

    found = purchases_of(Customer.objects.all(), last - timedelta(days=6), last)

    assert (found.customers, found.count) == (4, 2)
    assert found.value == pytest.approx(np.mean(each))
    assert found.variance == pytest.approx(np.var(each, ddof=1))


@pytest.mark.django_db
def test_the_page_plans_from_its_query_string(staff_client: Client) -> None:
    page = staff_client.get(
        f"{PAGE}?kind=rate&rate=10&lift=20&arms=2&confidence=95&power=80&people=6000&per_day=500&days=7"
    ).content.decode()

    assert "The experiment needs 3,841 customers per variant, 7,682 in total." in page
    assert "The available audience is 1,682 too small." in page
    assert "23 days" in page
    assert '<figure id="power" data-chart>' in page


@pytest.mark.django_db
def test_revenue_per_customer_needs_mean_and_deviation(staff_client: Client) -> None:
    page = staff_client.get(f"{PAGE}?kind=revenue&mean=5&deviation=10&lift=100").content.decode()
    assert "The experiment needs 63 customers per variant, 126 in total." in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "", "kind=magic", "rate=-1", "rate=nan", "lift=0", "arms=99", "rate=60&lift=100", "people=0",
        "campaign=9", "campaign=x", "base=nobody", "base=%00", "kind=revenue&mean=", "days=x&base=everybody",
        "rate=inf", "confidence=100", "lift=1e400", "kind=revenue&mean=0.01&deviation=1000000&lift=0.1",
    ],
)  # fmt: skip
def test_invalid_figures_show_an_error_on_the_page(staff_client: Client, query: str) -> None:
    assert staff_client.get(f"{PAGE}?{query}").status_code == 200


@pytest.mark.django_db
def test_the_figures_start_from_orders_of_a_segment(staff_client: Client) -> None:
    segment = Segment.objects.create(name="Regulars", slug="regulars", kind=Segment.Kind.STATIC)
    for amount in (30, 50, 0, 0):
        customer = make_customer()
        SegmentMembership.objects.create(segment=segment, customer=customer)
        if amount:
            make_order(customer, amount)
    make_customer()

    page = staff_client.get(f"{PAGE}?base=regulars&kind=revenue").content.decode()

    assert 'name="mean" value="20.00"' in page
    assert 'name="people" value="4"' in page
    assert "from the purchases of “Regulars”" in page
    assert as_of() == timezone.localdate()


@pytest.mark.django_db
def test_the_page_marks_example_figures_without_orders(
    staff_client: Client,
) -> None:
    page = staff_client.get(f"{PAGE}?base=everybody").content.decode()
    assert "is only an example" in page
    assert "is from the purchases" not in page


@pytest.mark.django_db
def test_a_campaign_with_variants_links_to_its_sample_size(staff_client: Client) -> None:
    campaign = make_campaign(holdout_percent=10, hourly_limit=10, goal_window_days=14)
    make_variants(campaign, A=1, B=1)
    buyer, _other = make_customer(), make_customer()
    make_order(buyer, 30)
    address = f"{PAGE}?campaign={campaign.pk}"

    form = staff_client.get(reverse("admin:marketing_campaign_change", args=[campaign.pk]))
    page = staff_client.get(address).content.decode()

    assert address in form.content.decode()
    for name, value in (("arms", 3), ("people", 2), ("per_day", 240), ("days", 14), ("rate", 50)):
        assert f'name="{name}" value="{value}"' in page


@pytest.mark.django_db
def test_a_campaign_without_variants_has_no_such_link(staff_client: Client) -> None:
    campaign = make_campaign()
    form = staff_client.get(reverse("admin:marketing_campaign_change", args=[campaign.pk]))
    assert f"{PAGE}?campaign" not in form.content.decode()
