"""Imports run once as jobs, over the API and in the admin."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook
from rest_framework.test import APIClient

from crm import jobs
from customers import privacy
from customers.ingest import queue_import
from customers.models import Consent, Customer, ImportJob

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


HEADER = "id,email,phone,vip since,subscribed"
ROWS = [
    f"{n % 17},{f'p{n % 17}@example.com' if n % 5 else 'no address'},{'+4930123456' if n % 3 else 'x'},2024-01-{n % 28 + 1:02},{n % 2}"
    for n in range(40)
]


def in_format(name: str) -> SimpleUploadedFile:
    """Return ROWS as a file in the format of its name."""
    text = "\n".join([HEADER, *ROWS, ""])
    if name.endswith(".xlsx"):
        book, target = Workbook(), io.BytesIO()
        for row in csv.reader(text.splitlines()):
            book.active.append(row)
        book.save(target)
        return upload(name, target.getvalue())
    if name.endswith(".jsonl"):
        text = "\n".join(json.dumps(row) for row in csv.DictReader(text.splitlines()))
    return upload(name, gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())


def import_in_turns(name: str, work: Callable[[ImportJob], None]) -> tuple[Any, ...]:
    """Import ROWS by `work`, and return all results and customers."""
    Customer.objects.all().delete()
    job = ImportJob.objects.create(kind="customers", name=name, file=in_format(name))
    columns = {"id": "external_id", "email": "email", "phone": "phone", "subscribed": "subscribed"}
    queue_import(job, {**columns, "vip since": "attributes.vip"})
    work(job)
    job.refresh_from_db()
    results = (
        "state",
        "done",
        "rows",
        "created",
        "updated",
        "unchanged",
        "rejected",
        "unread_cells",
    )
    names = ("external_id", "email", "phone", "attributes")
    return (
        [getattr(job, each) for each in results],
        Path(job.rejected_file.path).read_text(),
        list(Customer.objects.order_by("external_id").values_list(*names)),
        list(Consent.objects.order_by("pk").values_list("customer__external_id", "decision")),
    )


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.xlsx"])
def test_an_import_in_turns_is_that_of_one_turn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.ingest.load.BATCH", 7)
    monkeypatch.setattr("customers.ingest.jobs.LEAST_BATCHES", 0)
    turns: list[int] = []

    def in_turns(job: ImportJob) -> None:
        while jobs.work_on("customers.importjob", job.pk, turn_seconds=0):
            turns.append(ImportJob.objects.get(pk=job.pk).rows)

    def with_dying_workers(job: ImportJob) -> None:
        """Kill a worker in each batch, after it wrote to the file of rejected rows and before it committed."""
        save = jobs.Turn.save
        dies = iter([False, True] * 20)

        def save_or_die(turn: jobs.Turn, **columns: Any) -> None:
            if "begun" in columns and next(dies):
                raise SystemExit
            save(turn, **columns)

        with monkeypatch.context() as patched:
            patched.setattr(jobs.Turn, "save", save_or_die)
            while ImportJob.objects.get(pk=job.pk).state != "finished":
                with suppress(SystemExit):
                    jobs.run(job)
                ImportJob.objects.update(leased_until=None)

    at_once = import_in_turns(name, jobs.run)

    assert at_once[0][:3] == ["finished", 100, 40]
    assert at_once[0][3:7] == [17, 15, 0, 8]
    assert import_in_turns(name, in_turns) == at_once
    assert turns == [7, 14, 21, 28, 35, 40]
    assert import_in_turns(name, with_dying_workers) == at_once


def test_an_erasure_lets_an_import_begin_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.ingest.load.BATCH", 7)
    monkeypatch.setattr("customers.ingest.jobs.LEAST_BATCHES", 0)

    def erase_between(job: ImportJob) -> None:
        jobs.work_on("customers.importjob", job.pk, turn_seconds=0)
        jobs.run(privacy.erase(Customer.objects.get(external_id="1"), by=None))
        jobs.run(job)

    counts, rejected, customers, _consents = import_in_turns("a.csv", erase_between)

    assert counts[:3] == ["finished", 100, 37]
    assert len(rejected.splitlines()) > 1
    assert "1" not in {external_id for external_id, *_rest in customers}
    assert len({external_id for external_id, *_rest in customers}) > 10


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
