"""The API returns campaign results: rows, one campaign, its summary and its ROI."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from analytics.models import CampaignCost, CampaignMetrics
from analytics.returns import Cost, replace_costs
from crm.api import ids
from marketing.models import Campaign
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run

pytestmark = pytest.mark.django_db


def url(campaign: Campaign, rest: str = "") -> str:
    return f"/api/analytics/campaigns/{ids.encode('cmp', campaign.pk)}{rest}"


@pytest.fixture
def sent() -> Campaign:
    """Return a run: ten sent, eight delivered, four opened, two clicked, one order of 100, one skipped."""
    campaign = make_campaign(
        name="Autumn", state=Campaign.State.COMPLETED, launched_at=timezone.now()
    )
    run = make_run(campaign, audience=11)
    CampaignMetrics.objects.create(
        run=run,
        hour=timezone.now().replace(minute=0, second=0, microsecond=0),
        sent=10, delivered=8, bounced=2, opened=4, opens=6, clicked=2, clicks=3, converted=1,
        revenue=Decimal("100.00"),
    )  # fmt: skip
    make_execution(run, make_customer(), state="skipped", skip_reason="suppressed")
    make_execution(run, make_customer(), state="failed")
    return campaign


def test_a_campaign_row_has_counters_rates_and_roi(api: APIClient, sent: Campaign) -> None:
    replace_costs(sent, [Cost("media", Decimal("40.00"))])
    row = api.get("/api/analytics/campaigns").json()["results"][0]

    assert (row["id"], row["name"], row["status"]) == (
        ids.encode("cmp", sent.pk), "Autumn", "completed",
    )  # fmt: skip
    assert (row["sent"], row["arrived"], row["opened"], row["opens"]) == (10, 8, 4, 6)
    assert row["failed"] == api.get(url(sent, "/summary")).json()["failed"] == 1
    assert (row["delivery_rate"], row["open_rate"], row["click_rate"]) == (0.8, 0.5, 0.25)
    assert (row["revenue"], row["cost"], row["profit"], row["roi"]) == (
        "100.00", "40.00", "60.00", 1.5,
    )  # fmt: skip


def test_the_short_path_returns_the_list_too(api: APIClient, sent: Campaign) -> None:
    assert api.get("/api/analytics").json() == api.get("/api/analytics/campaigns").json()


def test_one_campaign_has_a_short_path_too(api: APIClient, sent: Campaign) -> None:
    short = url(sent).replace("/campaigns", "")
    assert api.get(short).json() == api.get(url(sent)).json()


def test_rates_are_null_before_anything_is_sent(api: APIClient) -> None:
    campaign = make_campaign()
    row = api.get(url(campaign)).json()
    assert (row["sent"], row["open_rate"], row["roi"]) == (0, None, None)
    assert (row["runs"], row["course"]) == ([], [])


def test_one_campaign_includes_its_times(api: APIClient, sent: Campaign) -> None:
    row = api.get(url(sent)).json()
    assert [run["audience"] for run in row["runs"]] == [11]
    assert [(slot["sent"], slot["opened"]) for slot in row["course"]] == [(10, 4)]


def test_the_summary_runs_from_audience_to_order(api: APIClient, sent: Campaign) -> None:
    summary = api.get(url(sent, "/summary")).json()
    assert (summary["audience"], summary["skipped"]) == (11, {"suppressed": 1})
    assert [(step["step"], step["count"]) for step in summary["funnel"]] == [
        ("audience", 11), ("sent", 10), ("delivered", 8), ("opened", 4), ("clicked", 2),
        ("converted", 1),
    ]  # fmt: skip
    assert summary["funnel"][3]["of_previous"] == 0.5


def test_the_roi_includes_the_parts_of_its_formula(api: APIClient, sent: Campaign) -> None:
    answer = api.post(
        url(sent, "/roi"),
        {"costs": [{"kind": "media", "amount": "30"}, {"kind": "design", "amount": "10.00"}]},
    ).json()
    assert answer == api.get(url(sent, "/roi")).json()
    assert answer["formula"] == "roi = (revenue - cost) / cost"
    assert (answer["cost"], answer["costs"]) == ("40.00", {"design": "10.00", "media": "30.00"})
    assert (answer["profit"], answer["roi"]) == ("60.00", 1.5)
    assert (answer["break_even_conversions"], answer["broke_even"]) == (1, True)


def test_a_call_without_costs_keeps_them(api: APIClient, sent: Campaign) -> None:
    replace_costs(sent, [Cost("media", Decimal("40.00"))])
    answer = api.post(url(sent, "/roi"))
    assert (answer.status_code, answer.json()["cost"]) == (200, "40.00")


def test_a_single_cost_replaces_earlier_costs(api: APIClient, sent: Campaign) -> None:
    replace_costs(sent, [Cost("media", Decimal("40.00"))])
    assert api.post(url(sent, "/roi"), {"cost": 25}).json()["costs"] == {"fixed": "25.00"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"cost": -1},
        {"cost": "much"},
        {"cost": "NaN"},
        {"cost": "1e20"},
        {"cost": 1, "costs": []},
        {"costs": [{"kind": "media"}]},
        {"costs": [{"kind": "", "amount": 1}]},
        {"costs": {"media": 3}},
        [],
        "cost",
    ],
)
def test_an_invalid_cost_is_refused_and_changes_nothing(
    api: APIClient, sent: Campaign, body: Any
) -> None:
    replace_costs(sent, [Cost("media", Decimal("40.00"))])
    answer = api.post(url(sent, "/roi"), body)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert CampaignCost.objects.get().amount == 40


def test_an_unknown_campaign_returns_404(api: APIClient) -> None:
    for path in ("", "/summary", "/roi"):
        assert api.get(f"/api/analytics/campaigns/cmp_nothing{path}").status_code == 404


def test_rows_are_filtered_and_exported_as_csv(api: APIClient, sent: Campaign) -> None:
    make_campaign(name="Draft")
    answer = api.get("/api/analytics/campaigns?status=completed&format=csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0].startswith("id,name,status,channel,simulated")
    assert [line.split(",")[1] for line in lines[1:]] == ["Autumn"]


def test_twenty_campaigns_need_as_many_queries_as_one(
    api: APIClient, sent: Campaign, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with_one = _queries(lambda: api.get("/api/analytics/campaigns"))
    for _ in range(19):
        make_run(make_campaign())
    assert _queries(lambda: api.get("/api/analytics/campaigns")) == with_one


def _queries(call: Callable[[], Any]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)
