"""The API compares the variants of a campaign from its messages and their results."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from crm.api import ids
from customers.models import Customer
from marketing.models import Campaign, CampaignVariant
from marketing.past_campaigns import campaigns, results
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_execution, make_run

pytestmark = pytest.mark.django_db

SENT_ON = datetime(2024, 3, 3, tzinfo=UTC)


def test_past_responses_become_an_experiment(api: APIClient) -> None:
    people = [make_customer(external_id=f"p{number}") for number in range(12)]
    _import_campaign(
        variants={"Mens": people[:4], "Womens": people[4:8], "holdout": people[8:]},
        visits=[*people[:3], people[4], people[8], people[8]],
        purchases={people[0]: "30.00", people[1]: "10.00", people[9]: "8.00"},
    )

    visits = _experiment(api, "visit")
    revenue = _experiment(api, "revenue")

    assert [(arm["name"], arm["customers"], arm["count"]) for arm in visits["variants"]] == [
        ("Mens", 4, 3),
        ("Womens", 4, 1),
        ("holdout", 4, 1),
    ]
    assert visits["variants"][0]["lift"] == pytest.approx(2.0)
    assert visits["holdout"]["value"] == pytest.approx(0.25)
    assert visits["is_over"]
    assert visits["sample_ratio_p"] == pytest.approx(1.0)
    assert [arm["value"] for arm in revenue["variants"]] == pytest.approx([10.0, 0.0, 2.0])
    assert revenue["variants"][0]["count"] == 2


def test_the_open_rate_has_no_holdout(api: APIClient) -> None:
    people = [make_customer(external_id=f"p{number}") for number in range(3)]
    _import_campaign(variants={"A": people[:1], "B": people[1:2], "holdout": people[2:]})

    opens = _experiment(api, "open")

    assert [arm["name"] for arm in opens["variants"]] == ["A", "B"]
    assert opens["base"] == "A"
    assert opens["holdout"] is None


def test_a_holdout_makes_all_orders_in_the_window_count(api: APIClient) -> None:
    campaign = make_campaign(holdout_percent=50, goal_window_days=7)
    start = timezone.now() - timedelta(days=3)
    run = make_run(campaign, started_at=start)
    sent, held_back = make_customer(), make_customer()
    make_execution(run, sent, state="sent", sent_at=start)
    make_execution(run, held_back, state="skipped", skip_reason="holdout")
    for customer, day in ((sent, 1), (held_back, 2), (held_back, -2)):
        make_order(customer, amount=Decimal(20), placed_at=start + timedelta(days=day))

    found = _experiment(api, "revenue")

    assert [(arm["name"], arm["value"]) for arm in found["variants"]] == [
        ("message", 20.0),
        ("holdout", 20.0),
    ]
    assert not found["is_over"]


def test_a_customer_of_several_runs_counts_once(api: APIClient) -> None:
    campaign = make_campaign()
    customer = make_customer()
    for _number in range(2):
        make_execution(
            make_run(campaign, state="finished", started_at=timezone.now()),
            customer,
            state="sent",
            clicked_at=timezone.now(),
        )

    assert _experiment(api, "click")["variants"][0]["customers"] == 1


def test_an_unknown_metric_is_refused(api: APIClient) -> None:
    campaign = make_campaign()
    path = f"/api/analytics/campaigns/{_id(campaign)}/experiment?metric=magic"

    assert api.get(path).status_code == 400


def test_an_unsent_campaign_has_no_comparison(api: APIClient) -> None:
    make_campaign()

    found = _experiment(api, "conversion")

    assert found["variants"] == []
    assert "Nothing to compare" in found["verdict"]


def _import_campaign(
    *,
    variants: dict[str, list[Customer]],
    visits: Iterable[Customer] = (),
    purchases: dict[Customer, str] | None = None,
) -> None:
    campaigns.record_campaigns([{"campaign_id": "1", "name": "Mail", "launched_at": SENT_ON}])
    results.record_targets(
        [
            {"campaign_id": "1", "customer_id": each.external_id, "variant": variant}
            for variant, people in variants.items()
            for each in people
        ]
    )
    at = SENT_ON + timedelta(days=1)
    told = [_response(each, "visit", at + timedelta(hours=n)) for n, each in enumerate(visits)]
    told += [
        _response(each, "purchase", at, revenue=Decimal(amount))
        for each, amount in (purchases or {}).items()
    ]
    assert all(result.reason == "" for result in results.record_responses(told))


def _response(customer: Customer, kind: str, at: datetime, **more: Any) -> dict[str, Any]:
    named = {"campaign_id": "1", "customer_id": customer.external_id}
    return {**named, "type": kind, "occurred_at": at, **more}


def _experiment(api: APIClient, metric: str) -> dict[str, Any]:
    campaign = Campaign.objects.get()
    answer = api.get(f"/api/analytics/campaigns/{_id(campaign)}/experiment?metric={metric}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def _id(campaign: Campaign) -> str:
    return ids.encode("cmp", campaign.pk)


def test_the_page_lists_arms_without_customers_and_says_simulated(staff_client: Client) -> None:
    campaign = make_campaign(holdout_percent=10)
    for name in ("Warm", "Sunny"):
        CampaignVariant.objects.create(campaign=campaign, name=name, template=campaign.template)
    run = make_run(campaign, started_at=timezone.now(), simulated=True)
    make_execution(run, make_customer(), state="sent", variant="Warm", sent_at=timezone.now())

    page = staff_client.get(reverse("admin:analytics_experiment", args=[campaign.pk]))

    assert [arm["name"] for arm in page.context["arms"]] == ["Warm"]
    assert page.context["empty_arms"] == ("Sunny", "holdout")
    assert "No customer is in this variant yet." in page.content.decode()
    assert "Simulated: no message was delivered" in page.content.decode()
