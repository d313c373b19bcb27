"""The made-up customers are plausible, the same for a day, and reach nobody."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from analytics import metrics
from crm.demo import made_shop, sample_data
from crm.demo.made_people import DAYS, Row, Shop, ShopMaker
from customers import customer_totals
from customers.models import (
    Consent,
    Customer,
    CustomerInterest,
    ErasureReceipt,
    ImportJob,
    Interaction,
    LikelyDuplicate,
    Merge,
    Order,
    PushSubscription,
    Segment,
    ServiceInteraction,
    Topic,
    Visit,
)
from marketing.models import Campaign, CampaignExecution, Sender
from tests.conftest import MADE_UP

NOW = datetime(2026, 11, 30, 18, tzinfo=UTC)
FICTION = {
    "US": ("+15035550100", "+15035550199"),
    "GB": ("+447700900000", "+447700900999"),
    "SE": ("+46701740605", "+46701740699"),
    "DE": ("+4917604069000", "+4917604069099"),
    "FR": ("+33639980000", "+33639980999"),
}
"""The first and last number of the ranges for films and books."""


def make(number: int, now: datetime = NOW) -> Shop:
    lists = json.loads((sample_data.FIXTURES / "made_people.json").read_text())
    with (sample_data.FIXTURES / "products.csv").open() as file:
        return ShopMaker(now, lists, list(csv.DictReader(file)), {}).make(number)


def purchases(shop: Shop) -> dict[str, Row]:
    return {row["order_id"]: row for row in shop.orders if "type" not in row}


@pytest.mark.parametrize("now", [NOW, NOW - timedelta(days=90), NOW + timedelta(days=120)])
def test_the_shop_is_large_on_any_day(now: datetime) -> None:
    made = make(made_shop.CUSTOMERS, now)
    orders = purchases(made)
    first: dict[str, str] = {}
    for row in sorted(orders.values(), key=lambda row: datetime.fromisoformat(row["placed_at"])):
        first.setdefault(row["customer_id"], row["placed_at"])
    known = [at for at in first.values() if datetime.fromisoformat(at) < now - timedelta(days=180)]

    assert len(made.customers) >= 600
    assert len(orders) >= 3_000
    assert len(known) >= 510  # the churn model needs 500
    assert Counter(row["customer_id"] for row in orders.values()).most_common()[100][1] >= 8


def test_the_shop_is_the_same_twice() -> None:
    assert asdict(make(40)) == asdict(make(40))


def test_rows_are_within_the_months_and_not_ahead() -> None:
    made = make(400)
    rows = [*made.orders, *made.visits, *made.tickets]
    times = [datetime.fromisoformat(row.get("placed_at") or row["occurred_at"]) for row in rows] + [
        row["occurred_at"] for row in made.views
    ]

    assert max(times) <= NOW
    assert min(times) >= NOW - timedelta(days=DAYS + 1)
    assert len({(at.year, at.month) for at in times}) >= 18
    assert {row["lifecycle_status"] for row in made.customers} == set(Customer.Lifecycle.values)


def test_addresses_belong_to_nobody() -> None:
    made = make(made_shop.CUSTOMERS)

    assert {row["email"].split("@")[1] for row in made.customers} == {
        "example.com", "example.net", "example.org",
    }  # fmt: skip
    for row in made.customers:
        if phone := row.get("phone"):
            first, last = FICTION[row["country"]]
            assert len(phone) == len(first)
            assert first <= phone <= last
    assert all(row["endpoint"].startswith("https://push.example.com/") for row in made.browsers)


MADE_RECORDS = (
    "accounts.ApiToken", "customers.WriteKey", "customers.ImportJob", "customers.BulkJob", "customers.ErasureReceipt",
    "marketing.Image", "events.WebhookEndpoint",
)  # fmt: skip


@pytest.mark.django_db
class TestLoaded:
    @pytest.fixture(autouse=True)
    def _loaded(self, made_up_shop: float) -> None:
        """Load the shop once for these tests."""

    def test_it_loads_within_its_bound(self, made_up_shop: float) -> None:
        assert made_up_shop < 20

    def test_no_list_of_an_administrator_is_empty(self) -> None:
        for label in MADE_RECORDS:
            assert apps.get_model(label).objects.exists(), label
        job = ImportJob.objects.get()
        assert (job.state, job.created, job.rejected) == ("finished", 4, 1)
        assert ErasureReceipt.objects.get().finished_at is not None
        assert not Customer.objects.filter(external_id="FAIR-04").exists()

    def test_every_kind_of_row_is_loaded(self) -> None:
        # one is registered twice, and four visitors of a fair are imported
        assert Customer.objects.count() == MADE_UP + 13
        assert LikelyDuplicate.objects.count() == Merge.objects.count() == 1
        assert Order.objects.refunds().exists()
        assert Visit.objects.filter(seconds__gt=0, pages__gt=0).exclude(referrer="").exists()
        assert ServiceInteraction.objects.filter(satisfaction__gt=0).exists()
        assert set(CustomerInterest.objects.values_list("source", flat=True)) == {
            "stated", "purchased", "browsed",
        }  # fmt: skip
        assert Consent.objects.exclude(topic="").values("topic").distinct().count() == 3
        assert Topic.objects.count() == 3
        assert PushSubscription.objects.exists()
        for segment in Segment.objects.exclude(slug="unhappy-customers"):
            assert 0 < segment.size < MADE_UP + 8, segment
        assert {"retail", "tech", "finance"} <= set(Segment.objects.values_list("slug", flat=True))

    def test_every_kind_of_campaign_was_sent(self) -> None:
        sent = Campaign.objects.filter(runs__executions__sent_at__isnull=False).distinct()

        assert set(sent.values_list("channel", flat=True)) == {"email", "sms", "push"}
        assert sent.filter(historical=True).count() == 4
        assert sent.filter(variants__isnull=False).exists()
        assert sent.get(type="recurring").runs.count() == 4
        assert CampaignExecution.objects.filter(skip_reason="holdout").exists()

    def test_nothing_is_ahead_of_now(self) -> None:
        now = timezone.now()
        assert not Order.objects.filter(placed_at__gt=now).exists()
        assert not Interaction.objects.filter(occurred_at__gt=now).exists()

    def test_stored_counters_are_correct(self) -> None:
        assert customer_totals.rebuild() == 0
        assert metrics.drift() == []

    def test_nothing_scheduled_reaches_made_up_customers(self) -> None:
        scheduled = Sender.objects.filter(campaigns__state__in=["scheduled", "running", "paused"])
        assert {sender.provider for sender in scheduled} == {"simulator"}
        keys = PushSubscription.objects.values_list("application_key", flat=True)
        assert set(keys) == {made_shop.PUSH_KEY}

    def test_the_eight_customers_stay_as_they_are(self) -> None:
        known = Customer.objects.filter(external_id__startswith="C-")
        messages = CampaignExecution.objects.filter(customer__in=known)

        assert known.count() == 8
        assert set(messages.values_list("run__campaign__name", flat=True)) <= {
            "Come back to us", "Autumn collection", "Early access for our best",
        }  # fmt: skip
        ada = known.get(external_id="C-1001")
        assert ada.name == "Ada Lindqvist"
        assert ada.total_spend == spent_in_fixtures("C-1001")


def spent_in_fixtures(customer: str) -> Decimal:
    with (sample_data.FIXTURES / "orders.csv").open() as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    amounts = (Decimal(row["amount"]) for row in rows if row["customer_id"] == customer)
    return sum(amounts, Decimal(0))
