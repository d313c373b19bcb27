"""The admin shows the customer and marketing dashboards and the page of an experiment."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics.models import CampaignMetrics
from analytics.people import profiles
from crm.accounts.models import User
from customers import customer_totals
from tests.factories.customers import make_customer, make_order, make_product
from tests.factories.marketing import make_campaign, make_execution, make_run

pytestmark = pytest.mark.django_db

NOW = timezone.now() - timedelta(hours=2)
CUSTOMERS = reverse("admin:analytics_customers")
MARKETING = reverse("admin:analytics_marketing")


@pytest.mark.parametrize("address", [CUSTOMERS, MARKETING])
def test_empty_pages_explain_the_next_step(staff_client: Client, address: str) -> None:
    assert staff_client.get(address).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        *("days=-1", "days=9999", "since=x", "since=2030-01-01&until=2020-01-01", "by=magic"),
        *("until=0001-01-01", "since=0001-01-01", "until=9999-12-31", "since=9999-12-31"),
    ],
)
def test_invalid_days_are_ignored(staff_client: Client, query: str) -> None:
    for address in (CUSTOMERS, MARKETING):
        assert staff_client.get(f"{address}?{query}").status_code == 200


def test_the_customer_dashboard_shows_purchases(staff_client: Client) -> None:
    grace = make_customer(first_name="Grace", last_name="Hopper")
    make_order(grace, 120, NOW - timedelta(days=3), [make_product(category="Compilers")])
    make_order(grace, 80, NOW - timedelta(days=100))
    customer_totals.rebuild()
    profiles.rebuild()

    page = staff_client.get(f"{CUSTOMERS}?days=30").content.decode()

    assert "$120.00" in page
    assert "Grace Hopper" in page
    assert "Compilers" in page
    assert "product_category_performance/?since=" in page


def test_the_marketing_dashboard_separates_simulated_campaigns(staff_client: Client) -> None:
    real, invented = make_campaign(name="Spring mail"), make_campaign(name="A rehearsal")
    for campaign, simulated in ((real, False), (invented, True)):
        CampaignMetrics.objects.create(
            run=make_run(campaign, simulated=simulated), hour=NOW, sent=10, opened=4, clicked=1
        )

    page = staff_client.get(MARKETING).content.decode()
    rehearsed = staff_client.get(f"{MARKETING}?simulated=1").content.decode()

    assert "Spring mail" in page
    assert "A rehearsal" not in page
    assert "A rehearsal" in rehearsed
    assert "no message was delivered" in rehearsed


def test_an_experiment_has_a_page_with_its_verdict(staff_client: Client) -> None:
    campaign = make_campaign(holdout_percent=Decimal(50), name="Half and half")
    run = make_run(campaign, started_at=NOW)
    for number in range(40):
        customer = make_customer()
        held_back = number % 2 == 0
        make_execution(
            run,
            customer,
            state="skipped" if held_back else "sent",
            skip_reason="holdout" if held_back else "",
        )
        if not held_back:
            make_order(customer, 20, NOW)
    address = reverse("admin:analytics_experiment", args=[campaign.pk])

    page = staff_client.get(address).content.decode()

    assert "Better than the holdout" in page
    assert "no message" in page
    assert address in staff_client.get(
        reverse("admin:marketing_campaign_change", args=[campaign.pk])
    ).content.decode()  # fmt: skip
    for metric in ("open", "click", "visit", "revenue", "magic"):
        assert staff_client.get(f"{address}?metric={metric}").status_code == 200


def test_an_unknown_campaign_has_no_experiment_page(staff_client: Client) -> None:
    assert staff_client.get(reverse("admin:analytics_experiment", args=[9])).status_code == 404


def test_users_without_the_right_see_no_results(client: Client) -> None:
    clerk = User.objects.create_user("clerk@example.com", "a long secret", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client.force_login(clerk)

    assert client.get(CUSTOMERS).status_code == 403
    assert client.get(MARKETING).status_code == 403
