"""A file that takes long to read is read by a worker; requests read others within small limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import Workbook
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient

from crm import jobs
from crm.accounts import tokens
from crm.accounts.models import User
from customers.ingest import (
    SlowFile,
    UnreadableFile,
    ask_for_beginning,
    beginning,
    read_beginning,
    sample,
)
from customers.ingest.files import jsonl_file, spreadsheet
from customers.models import Customer, ImportJob
from customers.privacy import erase
from tests.factories.customers import make_customer

LINES = [{"email": "ada@example.com", "plan": "pro"}, {"email": "bob@example.com", "late": "x"}]
JSONL = "".join(f"{json.dumps(line)}\n" for line in LINES).encode()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    """Let nothing but CSV be quick to read."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STATE_DIR = tmp_path
    monkeypatch.setattr(jsonl_file, "QUICK_BYTES", 0)
    monkeypatch.setattr(spreadsheet, "QUICK_MEMORY", 16 * 1024 * 1024)


def workbook(path: Path) -> Path:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["email", "plan"])
    sheet.append(["ada@example.com", "pro"])
    book.save(path)
    return path


def upload(client: Client, name: str, content: bytes) -> ImportJob:
    file = SimpleUploadedFile(name, content)
    url = reverse("admin:customers_importjob_add")
    assert client.post(url, {"kind": "customers", "file": file}).status_code == 302
    return ImportJob.objects.get()


@pytest.mark.parametrize("name", ["a.jsonl", "a.xlsx"])
def test_a_slow_file_is_left_to_a_worker(slow: None, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(JSONL)
    if name == "a.xlsx":
        workbook(path)
    with pytest.raises(SlowFile):
        sample(path, quick=True)
    assert "plan" in sample(path).header


def test_a_csv_file_is_quick_at_any_size(slow: None, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("email,plan\n" + "ada@example.com,pro\n" * 400_000)
    seen = sample(path, quick=True)
    assert (seen.header, seen.is_whole) == (["email", "plan"], False)


@pytest.mark.django_db
def test_a_page_shows_the_columns_that_a_worker_has_read(slow: None, staff_client: Client) -> None:
    job = upload(staff_client, "people.jsonl", JSONL)
    columns = reverse("admin:customers_importjob_mapping", args=[job.pk])

    waiting = staff_client.get(columns)
    assert "A worker reads the beginning" in waiting.content.decode()
    assert waiting.headers["Refresh"] == f"2; url={columns}"

    read_beginning(job)
    page = staff_client.get(columns)
    assert "late" in page.content.decode()
    assert "Refresh" not in page.headers
    fields = {"column_0": "email", "column_1": "attributes.plan", "column_2": ""}
    assert staff_client.post(columns, fields).status_code == 302
    job.refresh_from_db()
    assert job.state == "queued"
    jobs.run(job)
    assert Customer.objects.get(email="ada@example.com").attributes == {"plan": "pro"}


@pytest.mark.django_db
def test_a_worker_is_asked_once_at_a_time(
    slow: None,
    staff_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(
        "customers.ingest.beginnings.nudge", lambda *args, **_options: asked.append(args)
    )
    job = upload(staff_client, "people.jsonl", JSONL)
    for _ in range(3):
        ask_for_beginning(job)
    assert asked == [("customers.tasks.read_beginning", job.pk)]


@pytest.mark.django_db
def test_a_page_says_why_a_slow_file_cannot_be_read(slow: None, staff_client: Client) -> None:
    job = upload(staff_client, "people.jsonl", b'{"email": "ada@example.com"}\n[1]\n')
    read_beginning(job)
    columns = reverse("admin:customers_importjob_mapping", args=[job.pk])
    assert "Line 2 is not a JSON object" in staff_client.get(columns, follow=True).content.decode()
    with pytest.raises(UnreadableFile, match="Line 2"):
        beginning(job)


@pytest.mark.django_db
def test_an_erasure_forgets_the_beginning_of_a_file(
    slow: None, staff_client: Client, staff: User
) -> None:
    ada = make_customer(email="ada@example.com")
    job = upload(staff_client, "people.jsonl", JSONL)
    read_beginning(job)
    jobs.run(erase(ada, by=staff))
    with pytest.raises((SlowFile, FileNotFoundError)):
        beginning(job)


def post(api: APIClient, content: bytes, **fields: Any) -> ImportJob:
    file = SimpleUploadedFile("people.jsonl", content)
    answer = api.post(
        "/api/imports", {"kind": "customers", "file": file, **fields}, format="multipart"
    )
    assert answer.status_code == 202, answer.data
    job = ImportJob.objects.get()
    jobs.run(job)
    job.refresh_from_db()
    return job


@pytest.mark.django_db
def test_a_worker_guesses_the_columns_of_a_slow_upload(slow: None, api: APIClient) -> None:
    job = post(api, JSONL, mapping=json.dumps({"plan": ""}))
    assert (job.state, job.unread) == ("finished", None)
    assert job.mapping == {"email": "email", "plan": "", "late": "attributes.late"}
    assert Customer.objects.get(email="bob@example.com").attributes == {"late": "x"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "mapping", "reason"),
    [
        (JSONL, {"nothing": "email"}, "no column “nothing”"),
        (b'{"plan": "pro"}\n', {}, "No column is mapped to"),
        (b'{"email": "a@example.com", "Marketing consent": "perhaps"}\n', {}, "perhaps"),
    ],
)
def test_a_worker_refuses_what_a_request_refuses(
    slow: None, api: APIClient, content: bytes, mapping: dict[str, str], reason: str
) -> None:
    job = post(api, content, mapping=json.dumps(mapping))
    assert job.state == "failed"
    assert reason in job.error
    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_a_slow_upload_of_an_ingest_token_opts_nobody_in(slow: None, staff: User) -> None:
    token = tokens.issue(staff, scopes=["ingest"])[1]
    api = APIClient(headers={"Authorization": f"Bearer {token}"})
    job = post(api, b'{"email": "a@example.com", "subscribed": true}\n')
    assert job.state == "failed"
    assert "states no consent" in job.error
