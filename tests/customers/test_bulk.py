"""Bulk actions ask for confirmation, run as jobs and export files."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from crm import jobs
from crm.api import files
from crm.api.places import Places
from crm.events.models import MarketingEvent
from customers.bulk import export, tags
from customers.bulk import jobs as bulk_jobs
from customers.ingest import file_type
from customers.models import BulkJob, Customer, ErasureReceipt, Segment
from customers.privacy import erase, retention
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

LIST = reverse("admin:customers_customer_changelist")
FORMULA = '=HYPERLINK("http://x")'


@pytest.fixture(autouse=True)
def _own_files(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STATE_DIR = tmp_path


def act(client: Client, action: str, *, query: str = "", **posted: Any) -> Any:
    """Run an action on all matching customers, as with "select all"."""
    some = Customer.objects.values_list("pk", flat=True)[:1]
    data = {"action": action, "select_across": "1", "_selected_action": list(some), **posted}
    return client.post(f"{LIST}?{query}", data)


def test_an_action_asks_first_with_the_number_of_matches(staff_client: Client) -> None:
    for country in ("DE", "DE", "FR"):
        make_customer(country=country)

    asked = act(staff_client, "add_tags", query="country=DE")

    assert [fact.number for fact in asked.context["facts"]] == [2]
    assert not Customer.objects.exclude(tags=[])


def test_tags_are_added_and_removed_for_all_matches(staff_client: Client) -> None:
    german, known = make_customer(country="DE"), make_customer(country="DE", tags=["old", "vip"])
    french = make_customer(country="FR")

    done = act(staff_client, "add_tags", query="country=DE", confirmed="yes", tags="vip, spring")
    assert done.status_code == 302
    assert [sorted(Customer.objects.get(pk=each.pk).tags) for each in (german, known, french)] == [
        ["spring", "vip"],
        ["old", "spring", "vip"],
        [],
    ]

    act(staff_client, "remove_tags", confirmed="yes", tags="vip")
    assert Customer.objects.get(pk=known.pk).tags == ["old", "spring"]


def test_an_action_without_its_value_asks_again(staff_client: Client) -> None:
    make_customer()

    asked = act(staff_client, "add_tags", confirmed="yes", tags=" , ")

    assert asked.context["form"].errors
    assert not BulkJob.objects.exists()


def test_tagging_emits_the_changed_customers() -> None:
    new, tagged = make_customer(), make_customer(tags=["vip"])

    assert tags.add(["vip"], [new.pk, tagged.pk]) == 1
    assert MarketingEvent.objects.get(type="customers.changed").data["updated"] == [new.pk]


def test_customers_are_added_to_an_old_or_new_segment(staff_client: Client) -> None:
    make_customer(), make_customer()

    act(staff_client, "add_to_segment", confirmed="yes", segment="", name="Spring fair")
    segment = Segment.objects.get(name="Spring fair")
    assert (segment.kind, segment.slug, segment.size) == ("static", "spring-fair", 2)

    act(staff_client, "remove_from_segment", confirmed="yes", segment=segment.pk)
    segment.refresh_from_db()
    assert segment.size == 0


def test_a_dynamic_segment_is_not_offered(staff_client: Client) -> None:
    make_customer()
    dynamic = Segment.objects.create(name="Rules", slug="rules")

    asked = act(staff_client, "add_to_segment", confirmed="yes", segment=dynamic.pk, name="")

    assert asked.context["form"].errors


def test_a_bulk_job_resumes_after_its_worker_died(
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr(bulk_jobs, "AT_ONCE", 2)
    monkeypatch.setattr(bulk_jobs, "CHUNK", 2)
    for _each in range(5):
        make_customer()
    with django_capture_on_commit_callbacks() as queued:
        job = bulk_jobs.start(Customer.objects.all(), "add_tags", {"tags": ["vip"]}, by=None)
    assert (job.state, job.total, len(queued)) == ("queued", 5, 1)

    long_ago = timezone.now() - timedelta(hours=1)
    tags.add(["vip"], job.customer_ids[:2])
    BulkJob.objects.update(
        state="running", started_at=long_ago, leased_until=long_ago, done=2, changed=2
    )
    assert jobs.unattended(BulkJob) == [job.pk]
    jobs.run(job)

    job.refresh_from_db()
    assert (job.state, job.done, job.changed) == ("finished", 5, 5)
    assert Customer.objects.filter(tags=["vip"]).count() == 5


def test_a_deleted_segment_fails_the_job(staff_client: Client) -> None:
    make_customer()

    job = bulk_jobs.start(Customer.objects.all(), "add_to_segment", {"segment": 999}, by=None)

    assert (job.state, job.error) == ("failed", "The segment no longer exists. Choose another one.")
    page = staff_client.get(reverse("admin:customers_bulkjob_change", args=[job.pk]))
    assert job.error in page.content.decode()


def test_a_small_csv_export_is_a_download_in_list_order(staff_client: Client) -> None:
    first = make_customer(last_name="Aa", tags=["a", "b"], attributes={"plan": "pro"})
    second = make_customer(last_name="Bb", first_name=FORMULA)

    answer = act(staff_client, "export_csv", query="o=1")

    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [row["email"] for row in rows] == [first.email, second.email]
    assert rows[0]["tags"] == "a, b"
    assert rows[0]["attributes"] == '{"plan": "pro"}'
    assert rows[1]["first_name"] == f"'{FORMULA}"


def test_an_export_without_a_place_is_a_job(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Downloads hold threads of the web server, in the admin as over the API."""
    monkeypatch.setattr(files, "EXPORTS", Places(most=1, most_a_user=1))
    make_customer()
    slow = act(staff_client, "export_csv")
    next(iter(slow.streaming_content))

    assert act(staff_client, "export_csv").status_code == 302
    assert BulkJob.objects.get().action == "export"
    b"".join(slow.streaming_content)
    assert b"email" in b"".join(act(staff_client, "export_csv").streaming_content)


def test_a_large_csv_is_a_job_with_a_file(
    staff_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr("customers.admin.bulk_actions.STREAMED_TO", 1)
    monkeypatch.setattr(bulk_jobs, "AT_ONCE", 1)
    make_customer(), make_customer()

    with django_capture_on_commit_callbacks(execute=False):
        answer = act(staff_client, "export_csv")
    job = BulkJob.objects.get()
    assert answer.url == reverse("admin:customers_bulkjob_change", args=[job.pk])
    page = staff_client.get(answer.url).content.decode()
    assert "Waiting for a worker" in page
    assert "Customer ids" not in page

    jobs.run(job)
    assert "Download the file" in staff_client.get(answer.url).content.decode()
    file = staff_client.get(reverse("admin:customers_bulkjob_file", args=[job.pk]))
    assert len(b"".join(file.streaming_content).splitlines()) == 3


def test_a_sheet_has_numbers_as_numbers_and_formulas_as_text(staff_client: Client) -> None:
    customer = make_customer(first_name=FORMULA, last_name="bell\x07", external_id="007")
    Customer.objects.update(total_spend="12.50", order_count=2)

    act(staff_client, "export_xlsx")

    sheet = load_workbook(BulkJob.objects.get().file.path).active
    assert sheet is not None
    header, row = sheet.iter_rows()
    cells = {str(name.value): cell for name, cell in zip(header, row, strict=True)}
    assert (cells["first_name"].value, cells["first_name"].data_type) == (FORMULA, "s")
    assert (cells["external_id"].value, cells["total_spend"].value) == (customer.external_id, 12.5)
    assert cells["last_name"].value == "bell\ufffd"


def test_an_export_longer_than_a_sheet_suggests_csv(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "LONGEST_SHEET", 1)
    make_customer()

    job = bulk_jobs.start(Customer.objects.all(), "export", {"format": "xlsx"}, by=None)

    assert job.state == "failed"
    assert "Export as CSV" in job.error


def test_importing_an_export_ignores_computed_columns() -> None:
    mapping = file_type("customers").guess_mapping(export.HEADER)

    assert not {"total_spend", "order_count", "visit_count"} & set(mapping.values())
    assert mapping["kindling_id"] == mapping["first_order_at"] == ""
    assert mapping["external_id"] == "external_id"


def test_erasing_reaches_exported_files(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    gone, stays = make_customer(first_name="Zephyrine"), make_customer()
    made = [
        bulk_jobs.start(Customer.objects.all(), "export", {"format": name}, by=None)
        for name in export.FORMATS
    ]
    with django_capture_on_commit_callbacks():
        erase(gone, by=None)
    jobs.run(ErasureReceipt.objects.get())

    text = Path(made[0].file.path).read_text()
    assert "Zephyrine" not in text
    assert str(stays.email) in text
    assert not Path(made[1].file.path).exists()


def test_exports_are_deleted_after_their_days(settings: Settings) -> None:
    settings.RETENTION_EXPORT_FILES_DAYS = 7
    make_customer()
    job = bulk_jobs.start(Customer.objects.all(), "export", {"format": "csv"}, by=None)

    retention.apply(timezone.now() + timedelta(days=8))

    assert not Path(job.file.path).exists()
    job.refresh_from_db()
    assert (bool(job.file), job.customer_ids, job.total) == (False, [], 1)


@pytest.mark.parametrize("how", ["one", "many"])
def test_the_file_of_a_deleted_job_is_deleted_too(
    staff_client: Client,
    how: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    make_customer()
    job = bulk_jobs.start(Customer.objects.all(), "export", {"format": "csv"}, by=None)
    with django_capture_on_commit_callbacks(execute=True):
        if how == "one":
            staff_client.post(
                reverse("admin:customers_bulkjob_delete", args=[job.pk]), {"post": "yes"}
            )
        else:
            chosen = {"action": "delete_selected", "_selected_action": [job.pk], "post": "yes"}
            staff_client.post(reverse("admin:customers_bulkjob_changelist"), chosen)

    assert not BulkJob.objects.exists()
    assert not Path(job.file.path).exists()
