"""Imports run once as jobs, over the API and in the admin."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from crm import jobs
from customers.ingest import queue_import
from customers.models import Customer, ImportJob

pytestmark = pytest.mark.django_db

TEXT = b"id,email\na,a@example.com\nb,not an address\n"


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def upload(name: str = "people.csv", content: bytes = TEXT) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def make_job() -> ImportJob:
    job = ImportJob.objects.create(kind="customers", name="people.csv", file=upload())
    queue_import(job, {"id": "external_id", "email": "email"})
    return job


def test_a_queued_job_is_run_to_its_end() -> None:
    job = make_job()
    jobs.run(job)

    job.refresh_from_db()
    assert (job.state, job.rows, job.created, job.rejected) == ("finished", 2, 1, 1)
    assert "not an address" in Path(job.rejected_file.path).read_text()


def test_a_finished_job_does_not_run_again() -> None:
    job = make_job()
    jobs.run(job)
    Customer.objects.all().delete()
    jobs.run(job)

    assert not Customer.objects.exists()


def test_another_worker_takes_over_a_dead_workers_job() -> None:
    job = make_job()
    long_ago = timezone.now() - timedelta(hours=1)
    ImportJob.objects.update(state="running", started_at=long_ago, leased_until=long_ago)

    assert jobs.unattended(ImportJob) == [job.pk]
    jobs.run(job)
    job.refresh_from_db()
    assert job.state == "finished"


def test_a_file_uploaded_over_the_api_is_imported(
    api: APIClient, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks():
        answer = api.post(
            "/api/imports", {"kind": "customers", "file": upload()}, format="multipart"
        )

    assert answer.status_code == 202, answer.data
    job = ImportJob.objects.get()
    jobs.run(job)
    told = api.get(f"/api/imports/{answer.data['id']}").data
    assert (told["state"], told["created"], told["rejected"]) == ("finished", 1, 1)
    rejected = b"".join(api.get(told["rejected_url"]).streaming_content).decode()
    assert rejected.splitlines()[1].startswith("b,not an address,3,")


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"kind": "customers"}, "file"),
        ({"kind": "nothing", "file": b"id\n1\n"}, "kind"),
        ({"kind": "customers", "file": b""}, "file"),
        ({"kind": "customers", "file": b"\x00\x01\x02"}, "file"),
        ({"kind": "customers", "file": TEXT, "mapping": "[1]"}, "mapping"),
        ({"kind": "customers", "file": TEXT, "mapping": '{"id": "shoe"}'}, "file"),
        ({"kind": "orders", "file": TEXT}, "file"),
    ],
)
def test_an_impossible_import_is_refused_at_once(
    api: APIClient, sent: dict[str, Any], path: str
) -> None:
    if "file" in sent:
        sent = {**sent, "file": upload(content=sent["file"])}

    answer = api.post("/api/imports", sent, format="multipart")

    assert answer.status_code == 400
    assert answer.data["errors"][0]["path"].startswith(path)
    assert not ImportJob.objects.exists()


def test_staff_confirm_the_mapping_before_the_import(staff_client: Client) -> None:
    answer = staff_client.post(
        "/admin/customers/importjob/add/", {"kind": "customers", "file": upload()}
    )
    job = ImportJob.objects.get()
    assert answer["Location"] == f"/admin/customers/importjob/{job.pk}/mapping/"
    assert (job.state, Customer.objects.exists()) == ("uploaded", False)

    page = staff_client.get(answer["Location"]).content.decode()
    assert "a@example.com" in page

    answer = staff_client.post(
        f"/admin/customers/importjob/{job.pk}/mapping/",
        {"column_0": "external_id", "column_1": "email"},
    )
    job.refresh_from_db()
    assert (job.state, job.mapping) == ("queued", {"id": "external_id", "email": "email"})
