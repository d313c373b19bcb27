"""The API returns each element of the dashboards on its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from analytics.models import CampaignMetrics
from analytics.returns import Cost, replace_costs
from customers.models import Customer, Segment, SegmentMembership, ServiceInteraction
from marketing.models import Campaign
from tests.factories.customers import make_customer, make_order, make_product
from tests.factories.marketing import make_campaign, make_run

ALL = [
    "", "/dashboard", "/overview", "/kpis", "/roi", "/funnel", "/segments", "/campaigns",
    "/customer_segments", "/monthly_revenue", "/top_customers", "/product_category_performance",
    "/customer_satisfaction",
]  # fmt: skip
TABLES = [
    "", "/campaigns", "/roi", "/segments", "/monthly_revenue", "/top_customers",
    "/product_category_performance",
]  # fmt: skip

pytestmark = pytest.mark.django_db


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


@pytest.fixture
def shop() -> Customer:
    """Create Ada's orders: tea for 30 today and 10 forty days ago, and refunded coffee for 5."""
    ada = make_customer(
        first_name="Ada",
        last_name="Lovelace",
        total_spend=35,
        order_count=3,
        average_order_value=11,
    )
    tea, coffee = make_product(category="Tea"), make_product(category="Coffee")
    make_order(ada, "30.00", days_ago(0), [tea])
    make_order(ada, "10.00", days_ago(40), [tea])
    make_order(ada, "-5.00", days_ago(1), [coffee])
    return ada


def send(campaign: Campaign, *, simulated: bool = False, **counters: int) -> None:
    run = make_run(campaign, simulated=simulated, audience=20)
    CampaignMetrics.objects.create(
        run=run, hour=timezone.now().replace(minute=0, second=0, microsecond=0), **counters
    )
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=timezone.now())


@pytest.mark.parametrize("path", ALL)
def test_every_element_answers_without_data(api: APIClient, path: str) -> None:
    assert api.get(f"/api/analytics{path}").status_code == 200


@pytest.mark.parametrize("path", ALL)
def test_every_element_opens_in_a_browser(api: APIClient, shop: Customer, path: str) -> None:
    page = api.get(f"/api/analytics{path}", HTTP_ACCEPT="text/html")
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ALL)
def test_anonymous_requests_get_no_element(client: APIClient, path: str) -> None:
    assert client.get(f"/api/analytics{path}").status_code in {401, 403}


@pytest.mark.parametrize("path", TABLES)
def test_every_table_is_exported_as_csv(api: APIClient, shop: Customer, path: str) -> None:
    answer = api.get(f"/api/analytics{path}?format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert b"," in b"".join(answer.streaming_content)


def test_parameters_are_a_form_in_the_browser(api: APIClient) -> None:
    page = api.get("/api/analytics/funnel?since=2026-01-01", HTTP_ACCEPT="text/html").content
    assert b'name="simulated"' in page
    assert b'value="2026-01-01"' in page


def test_headline_figures_compare_with_the_previous_period(api: APIClient, shop: Customer) -> None:
    figures = api.get("/api/analytics/kpis").json()
    assert (figures["customers"], figures["buyers"], figures["days"]) == (1, 1, 30)
    assert (figures["revenue"], figures["revenue_before"]) == ("25.00", "10.00")
    assert (figures["revenue_change"], figures["orders"]) == (1.5, 1)
    assert api.get("/api/analytics/kpis?days=60").json()["revenue"] == "35.00"


def test_real_figures_never_include_simulated_campaigns(api: APIClient) -> None:
    send(make_campaign(), sent=10, delivered=10, opened=5)
    send(make_campaign(), simulated=True, sent=1000, delivered=1000, opened=900)

    overview = api.get("/api/analytics/overview").json()
    assert overview["results"]["totals"]["sent"] == 10
    assert overview["simulated"]["totals"]["sent"] == 1000
    assert api.get("/api/analytics/kpis").json()["open_rate"] == 0.5
    assert api.get("/api/analytics/funnel").json()["steps"][1]["count"] == 10
    assert api.get("/api/analytics/funnel?simulated=true").json()["steps"][1]["count"] == 1000


def test_the_dashboard_is_a_single_response(api: APIClient, shop: Customer) -> None:
    send(make_campaign(name="Autumn", state="running"), sent=10, delivered=10)
    board = api.get("/api/analytics/dashboard").json()
    assert (board["customers"]["number"], board["sales"]["now"]["revenue"]) == (1, "25.00")
    assert len(board["months"]) == 12
    assert [row["name"] for row in board["campaigns"]] == ["Autumn"]
    assert [(run["name"], run["total"]) for run in board["under_way"]] == [("Autumn", 20)]


def test_the_roi_report_lists_every_launched_campaign(api: APIClient) -> None:
    make_campaign(name="Draft")
    paid, unknown = make_campaign(name="Paid"), make_campaign(name="Cost unknown")
    for campaign in (paid, unknown):
        send(campaign, sent=10, converted=1, revenue=100)
    replace_costs(paid, [Cost("media", Decimal(50))])

    report = api.get("/api/analytics/roi").json()
    assert (report["real"]["revenue"], report["real"]["roi"]) == ("100.00", 1.0)
    assert [(row["name"], row["roi"]) for row in report["campaigns"]] == [
        ("Cost unknown", None), ("Paid", 1.0),
    ]  # fmt: skip


def test_segments_report_member_value_and_campaign_results(api: APIClient, shop: Customer) -> None:
    segment = Segment.objects.create(name="All", slug="all", size=2)
    for customer in (shop, make_customer()):
        SegmentMembership.objects.create(segment=segment, customer=customer)
    send(make_campaign(segments=[segment]), sent=4, delivered=4, opened=1)
    make_campaign(segments=[segment])

    row = api.get("/api/analytics/segments").json()["results"][0]
    assert (row["slug"], row["spend"], row["average_spend"]) == ("all", "35.00", "17.50")
    assert (row["orders"], row["buyers"], row["campaigns"]) == (3, 1, 1)
    assert (row["sent"], row["open_rate"]) == (4, 0.25)


def test_customers_spread_over_segments_and_lifecycle(api: APIClient) -> None:
    make_customer(lifecycle_status="active")
    make_customer()
    Segment.objects.create(name="Active", slug="active", size=1)
    spread = api.get("/api/analytics/customer_segments").json()
    assert (spread["customers"], spread["by_lifecycle"]["lead"]) == (2, 1)
    assert [(each["slug"], each["share"]) for each in spread["segments"]] == [("active", 0.5)]


def test_revenue_includes_months_without_orders(api: APIClient, shop: Customer) -> None:
    months = api.get("/api/analytics/monthly_revenue?months=6").json()["results"]
    assert len(months) == 6
    assert months[0]["revenue"] == "0.00"
    assert sum(Decimal(month["revenue"]) for month in months) == 35
    assert months[0]["average_order_value"] is None


def test_top_customers_are_ordered_by_spend(api: APIClient, shop: Customer) -> None:
    make_customer()
    best = make_customer(total_spend=99, order_count=1)
    rows = api.get("/api/analytics/top_customers").json()["results"]
    assert [row["email"] for row in rows] == [best.email, shop.email]
    assert len(api.get("/api/analytics/top_customers?limit=1").json()["results"]) == 1


def test_categories_are_ranked_by_revenue_in_the_period(api: APIClient, shop: Customer) -> None:
    rows = api.get("/api/analytics/product_category_performance").json()["results"]
    assert [(row["category"], row["revenue"]) for row in rows] == [
        ("Tea", "40.00"), ("Coffee", "-5.00"),
    ]  # fmt: skip
    since = timezone.localdate() - timedelta(days=2)
    rows = api.get(f"/api/analytics/product_category_performance?since={since}").json()["results"]
    assert rows[0]["revenue"] == "30.00"


def test_satisfaction_counts_ratings_and_resolved_tickets(api: APIClient, shop: Customer) -> None:
    for number, (mark, hours) in enumerate([(5, 2), (4, 4), (1, None), (None, None)]):
        ServiceInteraction.objects.create(
            external_id=f"s-{number}",
            customer=shop,
            type="complaint",
            occurred_at=days_ago(3),
            satisfaction=mark,
            resolved_at=days_ago(3) + timedelta(hours=hours) if hours else None,
        )
    found = api.get("/api/analytics/customer_satisfaction").json()
    assert (found["interactions"], found["by_type"]["complaint"], found["answers"]) == (4, 4, 3)
    assert (found["average"], found["score"]) == (3.3333, 0.6667)
    assert (found["resolution_rate"], found["mean_hours_to_resolve"]) == (0.5, 3.0)
    assert found["marks"] == {"1": 1, "2": 0, "3": 0, "4": 1, "5": 1}


@pytest.mark.parametrize(
    "path",
    [
        "/kpis?days=0", "/kpis?days=soon", "/overview?days=99999999999", "/monthly_revenue?months=-1",
        "/top_customers?limit=0", "/funnel?simulated=perhaps", "/funnel?since=yesterday",
        "/funnel?channel=pigeon", "/customer_satisfaction?since=2026-02-30",
        "/customer_satisfaction?since=2026-03-01&until=2026-02-01",
        "/product_category_performance?since=0001-01-01", "/product_category_performance?until=9999-12-31",
    ],
)  # fmt: skip
def test_invalid_parameters_get_a_clear_error(api: APIClient, path: str) -> None:
    answer = api.get(f"/api/analytics{path}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"][0]["path"]


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2201-01-01", "9999-12-31"])
def test_days_of_no_calendar_of_ours_are_refused(api: APIClient, day: str) -> None:
    """A year before the first day of the calendar was a 500."""
    for path in ("attribution", "customer_satisfaction", "product_category_performance"):
        for name in ("since", "until"):
            answer = api.get(f"/api/analytics/{path}", {name: day})
            assert answer.status_code == 400, (path, name)
