"""Stored files are readable by the process alone, and served by views that check permissions."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from PIL import Image as Pixels
from pytest_django import Settings
from rest_framework.test import APIClient

from crm import jobs
from crm.accounts.models import User
from crm.management.commands import catch_mail
from crm.roles import Role
from customers.bulk import jobs as bulk_jobs
from customers.models import BulkJob, Customer, ImportJob
from customers.privacy import erase
from marketing import images
from tests.factories.accounts import in_role

pytestmark = pytest.mark.django_db

PEOPLE = b"id,email\na,a@example.com\nb,b@example.com\nc,not an address\n"


@pytest.fixture
def media(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """Yield the folder of files, made under the widest umask."""
    settings.MEDIA_ROOT, settings.STATE_DIR = tmp_path / "media", tmp_path
    before = os.umask(0)
    yield tmp_path / "media"
    os.umask(before)


@pytest.fixture
def stored(
    media: Path, api: APIClient, staff_client: Client, settings: Settings, staff: User
) -> list[Path]:
    """Store files by every way in, and return them."""
    for memory in (2_500_000, 10):  # by a temporary file, too
        settings.FILE_UPLOAD_MAX_MEMORY_SIZE = memory
        given = {"kind": "customers", "file": SimpleUploadedFile("people.csv", PEOPLE)}
        assert api.post("/api/imports", given, format="multipart").status_code == 202
    upload = SimpleUploadedFile("people.csv", PEOPLE)
    staff_client.post("/admin/customers/importjob/add/", {"kind": "customers", "file": upload})
    jobs.run(ImportJob.objects.earliest("pk"))
    jobs.run(bulk_jobs.start(Customer.objects.all(), "export", {"format": "csv"}, by=None))
    own = media.parent / "own.csv"
    own.write_bytes(PEOPLE)
    call_command("import_file", "customers", own)
    jobs.run(erase(Customer.objects.get(external_id="b"), by=staff))
    assert b"b@example.com" not in Path(ImportJob.objects.earliest("pk").file.path).read_bytes()
    picture = io.BytesIO()
    Pixels.new("RGB", (4, 3), "teal").save(picture, "PNG")
    images.add(ContentFile(picture.getvalue()), name="logo.png")
    return [path for path in media.rglob("*") if path.is_file()]


def test_only_the_process_reads_stored_files(stored: list[Path], media: Path) -> None:
    assert len(stored) >= 6
    open_files = [path for path in stored if path.stat().st_mode & 0o077]
    open_folders = [
        path for path in media.rglob("*") if path.is_dir() and path.stat().st_mode & 0o077
    ]
    assert open_files + open_folders == []


def test_no_address_serves_a_stored_file(
    stored: list[Path], media: Path, staff_client: Client
) -> None:
    for path in stored:
        name = path.relative_to(media)
        for address in (
            f"/media/{name}",
            f"/{name}",
            f"/static/{name}",
            f"/static/../media/{name}",
            f"/media//{name}",
        ):
            for client in (Client(), staff_client):
                assert client.get(address).status_code in {301, 302, 404}, address


def test_a_download_needs_its_permission(stored: list[Path]) -> None:
    job, export = ImportJob.objects.earliest("pk"), BulkJob.objects.get()
    doors = (
        f"/admin/customers/importjob/{job.pk}/rejected/",
        f"/admin/customers/bulkjob/{export.pk}/file/",
    )
    for role, allowed in (
        (Role.ADMINISTRATOR, True),
        (Role.ANALYST, False),
        (Role.APPROVER, False),
    ):
        client = Client()
        client.force_login(in_role(role))
        assert [client.get(door).status_code == 200 for door in doors] == [allowed] * 2, role
    assert [Client().get(door).status_code for door in doors] == [302, 302]


def test_caught_mail_is_private(media: Path) -> None:
    media.mkdir()
    assert catch_mail.store(media, b"Subject: reset").stat().st_mode & 0o077 == 0
