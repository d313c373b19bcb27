"""Service interactions, visits and interests come from files and the API."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from crm import jobs
from customers import customer_totals
from customers.models import (
    Customer,
    CustomerInterest,
    ImportJob,
    Interaction,
    ServiceInteraction,
    Visit,
)
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

FILES = {
    "service_interactions": """ticket_id,customer_id,type,date,subject,product_id,satisfaction_score,agent
t1,a,Complaint,2025-01-05,Broken,sku-1,2,Kim
t2,a,feedback,2025-01-06,,,5,
""",
    "visits": "customer_id,visited_at,page_url,duration\na,2025-02-01T10:00:00Z,/shoes,30\na,2025-02-03T10:00:00Z,/hats,12\n",
    "interests": "customer_id,interest,score,source\na,Shoes,0.8,stated\na,Hats,0.25,browsed\n",
}
MODELS = {
    "service_interactions": ServiceInteraction,
    "visits": Visit,
    "interests": CustomerInterest,
}


@pytest.fixture(autouse=True)
def customer(settings: Any, tmp_path: Path) -> Customer:
    settings.MEDIA_ROOT = tmp_path / "media"
    return make_customer(external_id="a", email="a@example.com")


def run_import(folder: Path, kind: str, text: str) -> str:
    path = folder / f"{kind}.csv"
    path.write_text(text)
    said = StringIO()
    call_command("import_file", kind, str(path), stdout=said)
    return said.getvalue()


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_imported_once(tmp_path: Path, kind: str) -> None:
    assert "2 " + kind.replace("_", " ") + " created" in run_import(tmp_path, kind, FILES[kind])
    before = list(MODELS[kind].objects.order_by("pk").values())
    timeline = Interaction.objects.count()

    assert "0 updated, 2 unchanged" in run_import(tmp_path, kind, FILES[kind])
    assert list(MODELS[kind].objects.order_by("pk").values()) == before
    assert Interaction.objects.count() == timeline


@pytest.mark.parametrize("kind", FILES)
def test_rows_without_a_customer_are_rejected(tmp_path: Path, kind: str) -> None:
    text = FILES[kind].replace(",a,", ",x,").replace("\na,", "\nx,")

    assert "2 rows rejected" in run_import(tmp_path, kind, text)
    assert not MODELS[kind].objects.exists()


def test_a_service_ticket_is_on_the_timeline_with_its_product(tmp_path: Path) -> None:
    run_import(tmp_path, "service_interactions", FILES["service_interactions"])

    complaint = ServiceInteraction.objects.get(external_id="t1")
    assert (complaint.product.sku, complaint.satisfaction) == ("sku-1", 2)
    assert complaint.attributes == {"agent": "Kim"}
    told = Interaction.objects.order_by("occurred_at")[0]
    assert (told.type, told.properties["satisfaction"]) == ("service_contact", 2)


def test_visits_count_for_the_customer(tmp_path: Path) -> None:
    run_import(tmp_path, "visits", FILES["visits"])

    customer = Customer.objects.get()
    assert customer.visit_count == 2
    assert customer.last_visit_at == datetime(2025, 2, 3, 10, tzinfo=UTC)
    assert customer_totals.rebuild() == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "service-interactions",
            {"id": "t1", "customerId": "a", "type": "inquiry", "occurred_at": "2025-01-01"},
        ),
        ("visits", {"id": "v1", "customer_id": "a@example.com", "occurred_at": "2025-01-01"}),
        ("interests", {"customer_id": "a", "category": "Shoes", "score": 0.5, "source": "stated"}),
    ],
)
def test_a_record_is_created_then_recognized(
    api: APIClient, path: str, body: dict[str, Any]
) -> None:
    first = api.post(f"/api/{path}", body, format="json")
    assert first.status_code == 201, first.data

    assert api.post(f"/api/{path}/", body, format="json").status_code == 200
    listed = api.get(f"/api/{path}?customer=a").data
    assert listed["count"] == 1
    assert listed["results"][0] == first.json()
    csv = b"".join(api.get(f"/api/{path}?format=csv").streaming_content).decode()
    assert len(csv.splitlines()) == 2


def test_a_batch_names_its_invalid_rows(api: APIClient) -> None:
    visits = [
        {"customer_id": "a", "occurred_at": "2025-01-01"},
        {"customer_id": "nobody", "occurred_at": "2025-01-01"},
        {"customer_id": "a", "occurred_at": "yesterday"},
        7,
    ]

    answer = api.post("/api/visits/batch", {"visits": visits}, format="json")

    assert answer.status_code == 207
    assert (answer.data["created"], answer.data["failed"]) == (1, 3)


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        ("customers", {"customers": [{"id": "n1", "attributes": {"a": [1]}}, {"id": "n2"}]}, None),
        ("visits", {"visits": [{"customerId": "a", "occurredAt": "2025-01-01"}]}, Visit),
    ],
)
def test_an_asynchronous_batch_answers_with_a_job(
    api: APIClient, path: str, body: dict[str, Any], model: Any
) -> None:
    answer = api.post(f"/api/{path}/batch?mode=async", body, format="json")

    assert answer.status_code == 202, answer.data
    assert answer.data["state"] == "queued"
    jobs.run(ImportJob.objects.get())
    told = api.get(f"/api/imports/{answer.data['id']}").data
    assert (told["state"], told["rejected"]) == ("finished", 0), told
    if model:
        assert model.objects.count() == 1
    else:
        assert Customer.objects.get(external_id="n1").attributes == {"a": [1]}
