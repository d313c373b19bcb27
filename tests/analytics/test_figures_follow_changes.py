"""Figures follow imports, erasures and refused messages."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from analytics import commerce, metrics
from analytics.admin.tiles import change
from analytics.headlines import customer_figures
from analytics.people import rebuild_profiles, rfm_summary
from crm.api import ids
from crm.events import reader
from customers import customer_totals, privacy
from customers.ingest import clean_customer, upsert_customers
from customers.models import Customer, Interaction, Segment
from customers.segments import refresh
from marketing import campaigns
from marketing.messages import batches, queue
from marketing.messages.transitions import SendResult, mark_sending, record_results
from marketing.models import CampaignExecution
from marketing.tracking import MessageEvent, record
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign

pytestmark = pytest.mark.django_db(transaction=True)

ErrorKind, State = CampaignExecution.ErrorKind, CampaignExecution.State
LEADS = {
    "operator": "AND",
    "conditions": [{"field": "lifecycle_status", "operator": "=", "value": "lead"}],
}


def people(number: int) -> list[dict[str, Any]]:
    return [clean_customer({"external_id": f"i{place}"}) for place in range(number)]


def test_figures_are_made_anew_after_an_import(staff_client: Client) -> None:
    make_customer()
    home = reverse("admin:index")
    assert ">1</dd>" in staff_client.get(home).content.decode().split("Customers</dt>")[1][:200]

    upsert_customers(people(30), evidence="file")
    reader.catch_up("refresh figures after changes")

    assert ">31</dd>" in staff_client.get(home).content.decode().split("Customers</dt>")[1][:200]


def test_an_unchanged_figure_has_no_arrow() -> None:
    assert change(2_000, 2_000, "").rises is None
    assert change(Decimal("2000.10"), 2_000, "").rises is None
    assert change(2_100, 2_000, "").rises is True
    assert change(1_900, 2_000, "").rises is False


def test_the_arrow_of_customers_is_their_growth(staff_client: Client) -> None:
    now = timezone.now()
    for days in (90, 80, 70, 60, 5):
        make_customer(registered_at=now - timedelta(days=days))

    tile = staff_client.get(reverse("admin:index")).content.decode().split("Customers</dt>")[1]

    assert "25.0%" in tile.split("</div>")[0]
    assert "1 new" in tile.split("</div>")[0]


def test_erased_customers_are_counted_nowhere(api: APIClient, staff_client: Client) -> None:
    kept, gone = make_customer(external_id="kept"), make_customer(external_id="gone")
    make_order(gone, 500)
    make_order(kept, 20)
    customer_totals.rebuild()
    make_customer()
    privacy.erase(gone, by=None)
    leads = Segment.objects.create(name="Leads", slug="leads", rules=LEADS)
    refresh(leads)
    rebuild_profiles()
    today = timezone.localdate()
    found = customer_figures.refresh(today - timedelta(days=29), today)

    assert Customer.objects.count() == 3
    assert (found.number, found.number_at_end, found.new) == (2, 2, 2)
    assert sum(found.by_lifecycle.values()) == 2
    assert leads.size == found.by_lifecycle["lead"] == 1
    assert rfm_summary().customers == 1
    assert list(commerce.top_customers()) == [kept]
    assert api.get("/api/customers").json()["count"] == 2
    assert api.get("/api/analytics/kpis").json()["customers"] == 2
    assert api.post("/api/customers/preview", {"rules": LEADS}, format="json").json()["count"] == 1
    page = staff_client.get(reverse("admin:customers_customer_changelist")).content.decode()
    assert f"/customers/customer/{gone.pk}/" not in page
    # their page stays, for the receipt
    url = reverse("admin:customers_customer_change", args=[gone.pk])
    assert staff_client.get(url).status_code == 200
    # their orders stay in the sales
    assert found.period.now.revenue == 520


def test_a_refusal_at_the_door_is_one_bounce(api: APIClient, staff_client: Client) -> None:
    for number in range(4):
        make_customer(email=f"p{number}@example.com")
    campaign = make_campaign(state="running")
    run = send(campaign, refused="p3@example.com")
    message = run.executions.get(address="p3@example.com")
    # the provider reports the same bounce later, too
    record([MessageEvent(message.pk, "message_bounced", timezone.now())])
    reader.catch_up(metrics.SUBSCRIBER)

    totals = metrics.totals(campaign.runs.all())
    assert (totals.sent, totals.refused, totals.bounced, totals.arrived) == (3, 1, 1, 3)
    assert (totals.bounce_rate, totals.delivery_rate) == (Decimal("0.25"), Decimal("0.75"))
    assert metrics.drift() == []
    assert CampaignExecution.objects.get(pk=message.pk).bounced_at
    firsts = Interaction.objects.filter(type="message_bounced").values_list(
        "properties__first", flat=True
    )
    assert sorted(firsts) == [False, True]

    live = api.get(f"/api/campaigns/{ids.encode('cmp', campaign.pk)}/realtime").json()
    assert live["delivery_rate"] == 0.75
    page = staff_client.get(reverse("admin:analytics_marketing")).content.decode()
    assert "25.0% bounced" in page
    assert "75.0% delivered" in page


def send(campaign: Any, refused: str) -> Any:
    """Send a campaign to all customers, one of whom does not exist at the provider."""
    campaign.state = "draft"
    campaign.rules = {"operator": "AND", "conditions": []}
    campaign.save()
    run = campaigns.launch(campaign)
    while batches.owner().fill(run):
        pass
    run.refresh_from_db()
    lease, plan = uuid.uuid4(), batches.plan_of(run)
    claimed = queue.claim(run, lease)
    mark_sending(run, plan, lease, claimed)
    now = timezone.now()
    bad = SendResult(
        State.FAILED, now, error="550 5.1.1 No such user", error_kind=ErrorKind.HARD_BOUNCE
    )
    good = SendResult(State.SENT, now)
    record_results(
        run, plan, lease, [(each, bad if each.address == refused else good) for each in claimed]
    )
    return run
