"""The figures of the made-up shop are those of polars over the same rows, and pages and API agree on them."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from analytics import headlines
from analytics.admin.date_range import DateRange
from crm.adminkit import display
from customers.models import Segment

pytestmark = pytest.mark.django_db

TABLES = {
    "customer": "id, registered_at, created_at, lifecycle_status, erased_at",
    "order": "id, customer_id, kind, placed_at, net::float8 AS net, refund_of_id",
    "orderline": "order_id, product_id, (amount - refunded)::float8 AS kept",
    "product": "id, category",
    "serviceinteraction": "occurred_at, satisfaction::int AS satisfaction",
    "customerprofile": "customer_id, lifetime_value::float8 AS lifetime_value, churn_risk, rfm_segment",
}


@pytest.fixture(autouse=True)
def _shop(made_up_shop: float) -> None:
    """Load the shop once for all tests of this file."""


@pytest.fixture
def rows() -> dict[str, pl.DataFrame]:
    """Return the tables as data frames, with times as local days."""
    found = {}
    for name, columns in TABLES.items():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT {columns} FROM "customers_{name}"')
            names = [column.name for column in cursor.description]
            found[name] = pl.DataFrame(
                cursor.fetchall(), schema=names, orient="row", infer_schema_length=None
            )
    rates = "SELECT id, rate::float8 FROM customers_order"
    with connection.cursor() as cursor:
        cursor.execute(rates)
        rate = pl.DataFrame(cursor.fetchall(), schema=["order_id", "rate"], orient="row")
    found["orderline"] = found["orderline"].join(rate, on="order_id")
    found["order"] = found["order"].with_columns(day=local_day("placed_at"))
    found["serviceinteraction"] = found["serviceinteraction"].with_columns(
        day=local_day("occurred_at")
    )
    present = found["customer"].filter(pl.col("erased_at").is_null())
    since = pl.coalesce("registered_at", "created_at")
    found["customer"] = present.with_columns(
        day=since.dt.convert_time_zone(settings.TIME_ZONE).dt.date()
    )
    return found


def local_day(column: str) -> pl.Expr:
    return pl.col(column).dt.convert_time_zone(settings.TIME_ZONE).dt.date()


def days(number: int) -> tuple[date, date]:
    last = timezone.localdate()
    return last - timedelta(days=number - 1), last


def between(first: date, last: date) -> pl.Expr:
    return pl.col("day").is_between(first, last)


def cents(value: Any) -> float:
    return round(float(value), 2)


def test_kpis_are_those_of_polars(api: APIClient, rows: dict[str, pl.DataFrame]) -> None:
    first, last = days(30)
    before = first - timedelta(days=30), first - timedelta(days=1)
    orders, customers = rows["order"], rows["customer"]
    bought = orders.filter(pl.col("kind") == "order")
    now = set(bought.filter(between(first, last))["customer_id"])
    earlier = set(bought.filter(between(*before))["customer_id"])
    per_customer = (
        bought.join(customers, left_on="customer_id", right_on="id").group_by("customer_id").len()
    )
    values = rows["customerprofile"]["lifetime_value"]

    found = api.get("/api/analytics/kpis").json()

    assert found["customers"] == len(customers)
    assert found["new_customers"] == len(customers.filter(between(first, last)))
    assert found["orders"] == len(bought.filter(between(first, last))) > 0
    assert found["buyers"] == len(now)
    assert cents(found["revenue"]) == cents(orders.filter(between(first, last))["net"].sum())
    assert cents(found["revenue_before"]) == cents(orders.filter(between(*before))["net"].sum())
    assert cents(found["total_lifetime_value"]) == cents(values.sum()) > 0
    assert cents(found["average_lifetime_value"]) == cents(values.mean())
    assert found["retention_rate"] == round(len(now & earlier) / len(earlier), 4)
    repeats = len(per_customer.filter(pl.col("len") > 1))
    assert found["repeat_rate"] == round(repeats / len(per_customer), 4)
    ratings = rows["serviceinteraction"].filter(between(first, last))["satisfaction"].drop_nulls()
    assert found["satisfaction"] == (round(ratings.mean(), 4) if len(ratings) else None)


def test_elements_of_the_dashboard_are_those_of_polars(
    api: APIClient, rows: dict[str, pl.DataFrame]
) -> None:
    orders = rows["order"]
    month = pl.col("day").dt.truncate("1mo")
    months = dict(orders.group_by(month.alias("month")).agg(pl.col("net").sum()).iter_rows())
    for row in get(api, "monthly_revenue?months=18"):
        assert cents(row["revenue"]) == cents(months.get(date.fromisoformat(row["month"]), 0))

    spent = orders.group_by("customer_id").agg(pl.col("net").sum()).sort("net", descending=True)
    top = get(api, "top_customers?limit=5")
    assert [cents(row["total_spend"]) for row in top] == [cents(net) for net in spent["net"][:5]]

    first, last = days(90)
    sold = (
        rows["orderline"]
        .join(
            orders.filter(between(first, last) & pl.col("refund_of_id").is_null()),
            left_on="order_id",
            right_on="id",
        )
        .join(rows["product"], left_on="product_id", right_on="id")
        .with_columns(value=pl.col("kept") * pl.col("rate"))
    )
    categories = dict(sold.group_by("category").agg(pl.col("value").sum()).iter_rows())
    found = get(api, f"product_category_performance?since={first}&until={last}")
    assert {row["category"]: cents(row["revenue"]) for row in found} == pytest.approx(
        categories, abs=0.02
    )

    ratings = rows["serviceinteraction"].filter(between(first, last))["satisfaction"].drop_nulls()
    told = api.get(f"/api/analytics/customer_satisfaction?since={first}&until={last}").json()
    assert (told["answers"], told["average"]) == (len(ratings), round(ratings.mean(), 4))

    profiles = rows["customerprofile"]
    risks = profiles["churn_risk"].drop_nulls()
    churn = api.get("/api/analytics/churn_risk").json()
    assert (churn["customers"], churn["low"], churn["high"]) == (
        len(risks),
        (risks < 0.3).sum(),
        (risks >= 0.7).sum(),
    )
    assert churn["mean"] == pytest.approx(risks.mean(), abs=1e-4)

    named = dict(
        profiles.filter(pl.col("rfm_segment") != "").group_by("rfm_segment").len().iter_rows()
    )
    rfm = api.get("/api/analytics/rfm_segmentation").json()
    assert {row["name"]: row["customers"] for row in rfm["segments"] if row["customers"]} == named

    for segment in Segment.objects.all():
        assert segment.size == segment.memberships.count()


def test_the_rfm_scatter_is_that_of_polars(
    api: APIClient, staff_client: Client, rows: dict[str, pl.DataFrame]
) -> None:
    now = timezone.now()
    bought = rows["order"].filter(pl.col("kind") == "order").group_by("customer_id")
    facts = (
        bought.agg(pl.col("placed_at").max(), orders=pl.len())
        .join(rows["order"].group_by("customer_id").agg(pl.col("net").sum()), on="customer_id")
        .join(rows["customerprofile"], on="customer_id")
    )
    expected = sorted(
        ((now - row["placed_at"]).days, row["orders"], cents(row["net"]), row["rfm_segment"])
        for row in facts.iter_rows(named=True)
    )

    found = api.get("/api/analytics/rfm_segmentation").json()["points"]

    assert (
        sorted((row["days"], row["orders"], cents(row["spend"]), row["segment"]) for row in found)
        == expected
    )
    page = staff_client.get(reverse("admin:analytics_customers")).content.decode()
    figure = page.split('<figure id="rfm-scatter"')[1].split("</figure>")[0]
    drawn = json.loads(re.search(r"<script[^>]*>(.*?)</script>", figure, re.DOTALL)[1])
    assert drawn["type"] == "bubble"
    assert sum(len(each["points"]) for each in drawn["bubbles"]) == len(expected)
    assert "<summary>Heat map" in page


def test_pages_and_api_agree_on_the_same_days(api: APIClient, staff_client: Client) -> None:
    first, last = days(30)
    query = f"?since={first}&until={last}"
    home, customers, marketing = (
        tiles(staff_client.get(reverse(f"admin:{name}") + query).content.decode())
        for name in ("index", "analytics_customers", "analytics_marketing")
    )
    kpis = api.get("/api/analytics/kpis?days=30").json()
    dashboard = api.get("/api/analytics/dashboard").json()
    overview = api.get("/api/analytics/overview?days=30").json()

    for name in ("Revenue", "Orders", "Customers"):
        assert home[name][0] == customers[name][0], name
    assert home["Revenue"][0] == display.money(Decimal(kpis["revenue"]))
    assert home["Orders"][0] == display.number(kpis["orders"])
    assert home["Customers"][0] == display.number(kpis["customers"])
    assert home["Customers"][1] == f"{kpis['new_customers']} new"
    assert customers["New customers"][0] == display.number(kpis["new_customers"])
    assert customers["Buyers"][0] == display.number(kpis["buyers"])
    assert customers["Average lifetime value"][0] == display.money(
        Decimal(kpis["average_lifetime_value"])
    )
    assert kpis["new_customers"] == dashboard["customers"]["new"] == overview["new_customers"]
    assert (
        kpis["revenue"]
        == dashboard["sales"]["now"]["revenue"]
        == overview["sales"]["now"]["revenue"]
    )
    for name in ("Messages sent", "Open rate", "Click rate", "Conversions"):
        assert home[name][0] == marketing[name][0], name


def test_a_chart_and_its_file_cover_the_same_months(staff_client: Client) -> None:
    first, last = (
        timezone.localdate() - timedelta(days=200),
        timezone.localdate() - timedelta(days=100),
    )
    page = staff_client.get(
        reverse("admin:analytics_customers"), {"since": first, "until": last}
    ).content.decode()
    address = html.unescape(re.search(r'href="([^"]*monthly_revenue[^"]*)"', page)[1])
    file = b"".join(staff_client.get(address).streaming_content)
    table = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))

    months = headlines.customer_figures.refresh(first, last).months
    assert [row["month"] for row in table] == [str(each.first_day) for each in months]
    assert [Decimal(row["revenue"]) for row in table] == [each.revenue for each in months]
    cohorts = html.unescape(re.search(r'href="([^"]*cohorts[^"]*)"', page)[1])
    assert f"until={last}" in cohorts


@pytest.mark.parametrize(
    "page", ["index", "analytics_customers", "analytics_marketing", "analytics_funnel"]
)
def test_an_inverted_range_is_refused(staff_client: Client, page: str) -> None:
    shown = staff_client.get(
        reverse(f"admin:{page}"), {"since": "2026-03-10", "until": "2026-03-01"}
    ).content.decode()
    assert "10 Mar 2026 is after 1 Mar 2026" in html.unescape(shown)
    assert 'role="alert"' in shown


def test_a_missing_range_is_no_error(rf: Any) -> None:
    assert DateRange.of(rf.get("/")).error == ""


def get(api: APIClient, path: str) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = api.get(f"/api/analytics/{path}").json()["results"]
    return results


def tiles(page: str) -> dict[str, tuple[str, str]]:
    """Return number and note of each tile by its name."""
    found = {}
    for tile in page.split('<div class="tile">')[1:]:
        name = re.search(r'tile-name">([^<]*)', tile)[1]
        number = re.search(r'tile-number">([^<]*)', tile)[1]
        note = re.search(r'<span class="quiet">([^<]*)</span>\s*</dd>', tile)[1]
        found[name] = html.unescape(number), html.unescape(note)
    return found
