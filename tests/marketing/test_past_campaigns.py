"""Campaigns of another system are imported with targets and responses."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from analytics import metrics
from crm import jobs
from crm.events import reader
from customers.models import Consent, Customer, ImportJob, Interaction
from marketing.models import Campaign, CampaignExecution
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

CAMPAIGNS = """campaign_id,name,channel,start_date,end_date
1,Spring,email,2024-03-03,2024-04-09
2,,,2024-03-08,2024-04-09
"""
TARGETS = "campaign_id,customer_id,variant\n1,a,A\n1,b,B\n1,c,holdout\n2,a,\n"
RESPONSES = """campaign_id,customer_id,type,occurred_at,variant,revenue
1,a,open,2024-03-03T10:00:00Z,,
1,a,click,2024-03-03T10:05:00Z,,
1,a,visit,2024-03-03T10:06:00Z,,
1,a,purchase,2024-03-04T10:00:00Z,,25.50
1,b,unsubscribe,2024-03-04T10:00:00Z,,
1,c,purchase,2024-03-05T10:00:00Z,,7
1,d,sent,2024-03-03T09:00:00Z,A,
"""
FILES = {"campaigns": CAMPAIGNS, "campaign_targets": TARGETS, "campaign_responses": RESPONSES}


@pytest.fixture(autouse=True)
def people(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    for name in "abcd":
        make_customer(external_id=name)


def import_file(folder: Path, kind: str, text: str = "") -> str:
    path = folder / f"{kind}.csv"
    path.write_text(text or FILES[kind])
    output = StringIO()
    call_command("import_file", kind, str(path), stdout=output)
    return output.getvalue()


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    for kind in FILES:
        import_file(tmp_path, kind)
    return tmp_path


def execution(customer: str, campaign: str = "1") -> CampaignExecution:
    return CampaignExecution.objects.get(
        customer__external_id=customer, run__campaign__external_id=campaign
    )


@pytest.mark.usefixtures("imported")
def test_past_campaigns_are_completed_and_historical() -> None:
    spring, unnamed = Campaign.objects.order_by("external_id")

    assert (spring.name, spring.state, spring.historical) == ("Spring", "completed", True)
    assert spring.launched_at == datetime(2024, 3, 3, tzinfo=UTC)
    assert unnamed.name == "Campaign 2"
    assert spring.runs.get().state == "finished"


@pytest.mark.usefixtures("imported")
def test_targets_become_messages_except_the_holdout() -> None:
    assert (execution("a").state, execution("a").variant) == ("sent", "A")
    excluded = execution("c")
    assert (excluded.state, excluded.skip_reason, excluded.variant) == (
        "skipped",
        "holdout",
        "holdout",
    )
    assert excluded.revenue == Decimal(7)
    assert not Interaction.objects.filter(type="message_sent", execution_id=excluded.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("imported")
def test_responses_update_messages_and_metrics() -> None:
    message = execution("a")
    assert message.opened_at == datetime(2024, 3, 3, 10, tzinfo=UTC)
    assert (message.revenue, message.clicked_at is not None) == (Decimal("25.50"), True)
    assert execution("d").sent_at == datetime(2024, 3, 3, 9, tzinfo=UTC)

    reader.catch_up(metrics.SUBSCRIBER)
    totals = metrics.totals(Campaign.objects.get(external_id="1").runs.all())
    assert (totals.sent, totals.opened, totals.clicked) == (3, 1, 1)
    assert (totals.converted, totals.unsubscribed, totals.revenue) == (1, 1, Decimal("25.50"))


@pytest.mark.usefixtures("imported")
def test_a_past_unsubscription_opts_the_customer_out() -> None:
    assert Consent.objects.get().customer == Customer.objects.get(external_id="b")


def test_a_repeated_import_changes_nothing(imported: Path) -> None:
    before = [
        list(model.objects.order_by("pk").values())
        for model in (Campaign, CampaignExecution, Interaction, Consent)
    ]

    assert "0 updated, 2 unchanged" in import_file(imported, "campaigns")
    assert "0 updated, 4 unchanged" in import_file(imported, "campaign_targets")
    assert "0 updated, 7 unchanged" in import_file(imported, "campaign_responses")
    after = [
        list(model.objects.order_by("pk").values())
        for model in (Campaign, CampaignExecution, Interaction, Consent)
    ]
    assert after == before


def test_rows_with_unknown_ids_are_rejected(imported: Path) -> None:
    text = import_file(imported, "campaign_targets", "campaign_id,customer_id\n9,a\n1,nobody\n")

    assert "2 rows rejected" in text


def test_the_api_accepts_responses(api: APIClient, imported: Path) -> None:
    response = {
        "campaign": "Spring",
        "customer_id": "d",
        "type": "click",
        "occurred_at": "2024-03-03T11:00:00Z",
    }

    assert api.post("/api/campaign-responses", response, format="json").status_code == 201
    assert api.post("/api/campaign-responses/", response, format="json").status_code == 200
    assert execution("d").clicked_at is not None
    answer = api.post(
        "/api/campaign-responses",
        {"responses": [response, {**response, "type": "shout"}, {**response, "campaign": "?"}, 1]},
        format="json",
    )
    assert answer.status_code == 207
    assert [each["status"] for each in answer.data["results"]] == [
        "unchanged",
        "failed",
        "failed",
        "failed",
    ]


def test_async_responses_run_in_a_worker(api: APIClient, imported: Path) -> None:
    rows = [
        {"campaign": "1", "customerId": "b", "type": "open", "occurred_at": "2024-03-03T11:00:00Z"}
    ]
    answer = api.post("/api/campaign-responses?mode=async", {"responses": rows}, format="json")

    assert answer.status_code == 202, answer.data
    jobs.run(ImportJob.objects.get())
    assert execution("b").opened_at is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("imported")
def test_a_past_campaign_without_opens_shows_a_notice(staff_client: Client) -> None:
    reader.catch_up(metrics.SUBSCRIBER)
    pages = {
        each.external_id: staff_client.get(
            reverse("admin:marketing_campaign_change", args=[each.pk])
        ).content.decode()
        for each in Campaign.objects.all()
    }

    assert "has no data on opens and clicks" not in pages["1"]
    assert "has no data on opens and clicks" in pages["2"]
