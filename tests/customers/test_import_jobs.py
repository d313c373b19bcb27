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
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook
from rest_framework.test import APIClient

from crm import jobs
from crm.events.models import MarketingEvent
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


GERMAN = (
    "id;email;Geburtsdatum;Registriert;Land;Newsletter\n"
    "a;a@example.com;27.10.1958;03.04.2024;Deutschland;ja\n"
    "b;kein;28.10.1958;04.04.2024;Österreich;vielleicht\n"
    "c;auch keine;29.10.1958;05.04.2024;Schweiz;ja\n"
).encode("cp1252")


def make_german_job(**changes: Any) -> ImportJob:
    mapping = {
        "id": "external_id",
        "email": "email",
        "Geburtsdatum": "date_of_birth",
        "Registriert": "registered_at",
        "Land": "country",
        **changes,
    }
    job = ImportJob.objects.create(
        kind="customers", name="kunden.csv", file=upload("kunden.csv", GERMAN)
    )
    queue_import(job, mapping, preview=True)
    return job


def test_a_preview_counts_and_writes_nothing() -> None:
    Customer.objects.create(external_id="b", email="b@example.com", city="Graz")
    job = make_german_job()
    before = MarketingEvent.objects.count()

    jobs.run(job)

    job.refresh_from_db()
    assert job.is_previewed
    assert (job.rows, job.created, job.updated, job.rejected) == (3, 1, 0, 2)
    assert Customer.objects.count() == 1
    assert MarketingEvent.objects.count() == before
    assert not job.rejected_file
    assert list(job.reasons.values()) == [2]
    assert "kein" not in str(job.reasons), "reasons name no value"


def test_an_import_does_what_its_preview_said(staff_client: Client) -> None:
    job = make_german_job()
    jobs.run(job)
    page = f"/admin/customers/importjob/{job.pk}"

    previewed = staff_client.get(f"{page}/change/").content.decode()
    assert all(
        text in previewed for text in ("will be created", "Nothing is written yet", "Start import")
    )
    job.refresh_from_db()
    counted = (job.created, job.updated, job.rejected)
    staff_client.post(f"{page}/start/")
    jobs.run(job)

    job.refresh_from_db()
    assert (job.state, job.created, job.updated, job.rejected) == ("finished", *counted)
    customer = Customer.objects.get()
    assert (str(customer.date_of_birth), customer.country) == ("1958-10-27", "DE")
    assert f"{customer.registered_at:%Y-%m-%d}" == "2024-04-03"


def test_rejected_rows_are_written_as_the_file_is() -> None:
    job = make_german_job()
    ImportJob.objects.update(wants_preview=False)
    jobs.run(job)

    job.refresh_from_db()
    lines = Path(job.rejected_file.path).read_bytes().decode("cp1252").splitlines()
    assert lines[0].startswith("id;email;Geburtsdatum;")
    assert lines[1].startswith("b;kein;28.10.1958;04.04.2024;Österreich;")


def test_all_faults_of_a_row_are_reported_at_once() -> None:
    text = b"id,email,order count\na,nowhere,many\n"
    job = ImportJob.objects.create(kind="customers", name="people.csv", file=upload(content=text))
    queue_import(job, {"id": "external_id", "email": "email", "order count": "order_count"})
    jobs.run(job)

    job.refresh_from_db()
    rejected = Path(job.rejected_file.path).read_text()
    assert "email: " in rejected
    assert "order_count: " in rejected


@pytest.mark.parametrize(
    ("content", "badge"),
    [
        (b"id,email\na,nowhere\n", "All rows rejected"),
        (b"id,email\na,nowhere\nb,b@example.com\n", "Finished, some rows rejected"),
        (b"id,email\nb,b@example.com\n", "Finished"),
    ],
)
def test_rejected_rows_show_in_the_state(staff_client: Client, content: bytes, badge: str) -> None:
    job = ImportJob.objects.create(kind="customers", name="p.csv", file=upload(content=content))
    queue_import(job, {"id": "external_id", "email": "email"})
    jobs.run(job)

    page = staff_client.get("/admin/customers/importjob/").content.decode()

    assert badge in page
    assert "some rows rejected" not in page or b"b@example" in content


def test_the_question_about_dates_names_the_list(staff_client: Client) -> None:
    text = b"id,birthday\na,03/04/1990\nb,05/06/1991\n"
    job = ImportJob.objects.create(kind="customers", name="p.csv", file=upload(content=text))

    page = staff_client.post(
        f"/admin/customers/importjob/{job.pk}/mapping/",
        {"column_0": "external_id", "column_1": "date_of_birth"},
    ).content.decode()

    assert "Choose what “1/2/2025 means”." in page
    assert "day_first or" not in page


def test_the_api_previews_an_import_and_starts_it(api: APIClient) -> None:
    given = {"kind": "customers", "file": upload(), "preview": "true"}
    answer = api.post("/api/imports/", given, format="multipart")
    assert answer.status_code == 202
    job = ImportJob.objects.get()
    jobs.run(job)

    shown = api.get(f"/api/imports/{answer.data['id']}/").data
    assert (shown["is_previewed"], shown["created"], shown["rejected"]) == (True, 1, 1)
    assert list(shown["reasons"].values()) == [1]
    assert not Customer.objects.exists()

    assert api.post(f"/api/imports/{answer.data['id']}/start").status_code == 202
    jobs.run(job)
    assert Customer.objects.count() == 1
    assert api.post(f"/api/imports/{answer.data['id']}/start/").status_code == 409


def test_the_command_previews_an_import(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(TEXT)
    call_command("import_file", "customers", str(path), "--preview")
    said = capsys.readouterr().out
    assert "1 would be created, 0 updated, 0 unchanged and 1 rejected. Nothing is written." in said
    assert "1 × email:" in said
    assert not Customer.objects.exists()
