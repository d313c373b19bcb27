"""Erasing a customer removes their data from tables, files, logs, sessions and the cache."""

from __future__ import annotations

import gzip
import subprocess
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient

from crm import credentials, jobs
from crm.accounts.models import User
from crm.embedded.postgres import BIN
from customers import consent
from customers.ingest import Outcome, clean_customer, queue_import, upsert_customers
from customers.models import (
    BulkJob,
    Customer,
    ErasureReceipt,
    ImportJob,
    Interaction,
    Merge,
    Segment,
    WaitingMessage,
)
from customers.privacy import DataSubject, erase, personal_tables
from customers.privacy import traces as files_of_people
from customers.timeline import NewInteraction, record_interactions
from marketing.campaigns import moves
from marketing.models import CampaignExecution
from marketing.sending import turn
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_sender
from tests.smtp_sink import Sink, running

EMAIL, PHONE = "zephyrine.quux@example.com", "+493012345678"
FIRST, LAST, EXTERNAL = "Zephyrine", "Quuxington", "zq-4711-ext"
TRACES = (EMAIL, PHONE, PHONE[1:], FIRST, LAST, EXTERNAL)

FILE = f"""id,email,first_name,last_name,phone,city
{EXTERNAL},{EMAIL},{FIRST},{LAST},{PHONE},Berlin
other-1,other@example.com,Olga,Other,,Hamburg
,{EMAIL.upper()}, , ,,
bad,no-address,Zoltan,Keep,,
"""


@pytest.fixture(autouse=True)
def _own_files(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STATE_DIR = tmp_path


@pytest.fixture
def person(sink: Sink) -> Customer:
    """Create a customer with data in a file, orders, a campaign, events, logs and sessions."""
    run_import(FILE.encode(), "people.csv")
    run_import(gzip.compress(FILE.encode()), "people.csv.gz")
    customer = Customer.objects.get(external_id=EXTERNAL)
    make_order(customer, 42, attributes={"ship_to": f"{FIRST} {LAST}"})
    Customer.objects.filter(pk=customer.pk).update(total_spend=42, order_count=1)
    run = moves.launch(make_campaign(sender=make_sender()))
    while turn.work_on(run.pk):
        pass
    CampaignExecution.objects.filter(customer=customer).update(error=f"550 {EMAIL} unknown")
    make_campaign(rules={"field": "email", "operator": "=", "value": EMAIL})
    Segment.objects.create(
        name="Only her", slug="her", rules={"field": "email", "operator": "=", "value": EMAIL}
    )
    now = datetime.fromisoformat("2026-01-01T10:00:00+00:00")
    record_interactions(
        [
            NewInteraction(customer.pk, "form_sent", now, {"name": LAST, "mail": EMAIL}),
            NewInteraction(customer.pk, "order_placed", now, {"amount": "42", "to": FIRST}),
        ]
    )
    consent.opt_in(customer.pk, "email", f"form filled by {FIRST} {LAST}")
    consent.suppress("sms", PHONE, "manual", f"{FIRST} called")
    customer.identities.create(kind="anonymous", value="anon-77")
    WaitingMessage.objects.create(anonymous_id="anon-77", message={"traits": {"name": LAST}})
    Merge.objects.create(
        survivor=customer,
        duplicate_id=999_999,
        duplicate={"email": "zq.old@example.com", "first_name": FIRST},
        before={},
        after={},
        moved={},
        set_aside={},
    )
    return customer


def run_import(content: bytes, name: str) -> ImportJob:
    job = ImportJob(kind="customers", name=name)
    job.file.save(name, ContentFile(content))
    queue_import(
        job,
        {
            "id": "external_id",
            **{c: c for c in ("email", "first_name", "last_name", "phone", "city")},
        },
    )
    jobs.run(job)
    job.refresh_from_db()
    assert job.state == "finished"
    return job


def dump() -> str:
    """Return every row of the test database, as pg_dump writes it."""
    connection.ensure_connection()
    server = connection.connection.info
    command = [str(BIN / "pg_dump"), "--data-only", "--inserts", "--dbname", server.dbname]
    command += ["--host", server.host, "--port", str(server.port), "--username", server.user]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def files(folder: Path) -> str:
    texts = [
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    ]
    return b"\n".join(texts).decode(errors="replace")


def stored_responses() -> str:
    redis = cache._cache.get_client()
    slots = [key.decode().rpartition(":")[2] for key in redis.scan_iter(match="*idempotency:*")]
    answers = [cache.get(f"idempotency:{slot}") for slot in slots]
    return str([credentials.read(answer["body"]) for answer in answers])


def traces(text: str) -> list[str]:
    return [trace for trace in TRACES if trace.lower() in text.lower()]


@pytest.mark.django_db(transaction=True)
def test_erasing_leaves_no_trace_in_a_dump_or_file(
    person: Customer, staff: User, tmp_path: Path
) -> None:
    (tmp_path / "web.log").write_text(f"a line\nGET /?q={EMAIL} for {FIRST}\nanother line\n")
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "1.eml").write_bytes(f"To: {EMAIL}\r\n\r\nHi {FIRST}".encode())
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(person.pk),
        object_repr=f"{FIRST} {LAST}",
        action_flag=CHANGE,
        change_message=f"was {EMAIL}",
    )
    session = SessionStore()
    session["_messages"] = f'[["__json_message",0,25,"{FIRST} {LAST} was changed"]]'
    session.save()
    api = APIClient()
    api.force_authenticate(staff)
    api.post("/api/customers", {"email": EMAIL}, headers={"Idempotency-Key": "one"})
    assert EMAIL in stored_responses()
    before = dump() + files(tmp_path)
    assert set(traces(before)) == set(TRACES)

    receipt = erase(person, by=staff)
    jobs.run(receipt)

    assert [line for line in dump().splitlines() if traces(line)] == []
    assert traces(files(tmp_path)) == []
    assert traces(stored_responses()) == []
    assert "Olga" in files(tmp_path)
    assert "another line" in (tmp_path / "web.log").read_text()


@pytest.mark.django_db(transaction=True)
def test_counts_and_revenue_are_preserved(person: Customer, staff: User) -> None:
    interactions = Interaction.objects.filter(customer=person).count()
    jobs.run(erase(person, by=staff))

    person.refresh_from_db()
    assert str(person) == f"#{person.pk}"
    assert (person.total_spend, person.order_count) == (Decimal(42), 1)
    assert person.orders.get().amount == 42
    assert Interaction.objects.filter(customer=person).count() == interactions
    assert Interaction.objects.get(type="order_placed").properties == {"amount": "42"}
    assert CampaignExecution.objects.filter(customer=person, state="sent").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_receipt_has_counts_and_no_personal_data(person: Customer, staff: User) -> None:
    receipt = erase(person, by=staff)
    assert receipt.finished_at is None
    jobs.run(receipt)
    jobs.run(receipt)

    receipt = ErasureReceipt.objects.get()
    assert receipt.finished_at is not None
    assert receipt.wanted == {}
    assert receipt.created_by == staff
    assert receipt.removed["customer"] == 1
    assert receipt.removed["lines of imported files"] == 4
    assert receipt.removed["merged records"] == 1
    assert erase(person, by=staff) == receipt
    entry = LogEntry.objects.get(change_message__contains="erased")
    assert (entry.object_repr, entry.user) == (f"#{person.pk}", staff)


@pytest.mark.django_db(transaction=True)
def test_an_erased_customer_is_not_imported_again(person: Customer, staff: User) -> None:
    jobs.run(erase(person, by=staff))

    rows = [clean_customer({"email": email}) for email in (EMAIL.upper(), "new@example.com")]
    results = upsert_customers(rows, evidence="an old file")

    assert [result.outcome for result in results] == [Outcome.FAILED, Outcome.CREATED]
    job = run_import(FILE.encode(), "people.csv")
    assert (job.created, job.rejected) == (0, 3)
    assert not Customer.objects.filter(email__iexact=EMAIL).exists()


@pytest.mark.django_db(transaction=True)
def test_an_erased_address_stays_refused_until_staff_add_it(
    person: Customer, staff: User, staff_client: Client, sink: Sink
) -> None:
    jobs.run(erase(person, by=staff))
    make_customer(email=EMAIL)
    sent = sink.recipients().get(EMAIL, 0)
    run = moves.launch(make_campaign())
    while turn.work_on(run.pk):
        pass
    assert sink.recipients().get(EMAIL, 0) == sent
    assert run.executions.get(customer__email=EMAIL).skip_reason == "suppressed"

    consent.forget_erased([EMAIL])
    assert consent.erased_among([EMAIL]) == set()


@pytest.mark.django_db
def test_a_phone_of_another_customer_is_preserved(staff: User) -> None:
    make_customer(email="mother@example.com", phone=PHONE)
    daughter = make_customer(email="daughter@example.com", phone=PHONE)
    assert DataSubject.of(daughter).phones == []
    consent.suppress("sms", PHONE, "manual", "they called")

    erase(daughter, by=staff)

    assert Customer.objects.filter(phone=PHONE).count() == 1
    assert consent.erased_among([PHONE]) == set()


@pytest.mark.django_db
def test_erasing_spares_addresses_with_the_same_beginning(staff: User) -> None:
    ann = make_customer(email="ann@example.com")
    Segment.objects.create(
        name="Joann",
        slug="j",
        rules={"field": "email", "operator": "=", "value": "jo.ann@example.com"},
    )
    erase(ann, by=staff)
    assert Segment.objects.get().rules["value"] == "jo.ann@example.com"


@pytest.mark.django_db
def test_every_table_with_a_customer_is_in_the_registry() -> None:
    nobody = DataSubject(0, [], [], [], [], [], [])
    registered = {each.rows(nobody).model for each in personal_tables()}
    pointing = {each.related_model for each in Customer._meta.related_objects}
    assert pointing - registered == set()


@pytest.mark.django_db
def test_the_api_erases_once_and_answers_with_the_receipt(
    api: APIClient, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    customer = make_customer(external_id="c-1")
    first = api.post("/api/customers/c-1/erase")
    assert first.status_code == 200
    assert first.data["removed"]["customer"] == 1
    again = api.get(f"/api/erasures/{first.data['id']}")
    assert again.data["customer"] == first.data["customer"]
    assert api.post(f"/api/customers/{first.data['customer']}/erase").data["id"] == first.data["id"]
    customer.refresh_from_db()
    assert customer.email is None


@pytest.mark.django_db
def test_the_export_has_all_personal_data(api: APIClient, sink: Sink) -> None:
    customer = make_customer(external_id="c-1", email=EMAIL)
    make_order(customer, 42)
    consent.opt_in(customer.pk, "email", "a form")
    run = moves.launch(make_campaign())
    while turn.work_on(run.pk):
        pass

    held: dict[str, Any] = api.get("/api/customers/c-1/export").json()

    assert held["customer"]["email"] == EMAIL
    assert held["held"]["orders"][0]["amount"] == "42.00"
    assert held["held"]["consents"][0]["evidence"] == "a form"
    assert held["held"]["messages"][0]["address"] == EMAIL
    assert LogEntry.objects.filter(change_message__contains="exported").count() == 1


@pytest.mark.django_db
def test_the_admin_lists_the_data_to_erase(staff_client: Client) -> None:
    customer = make_customer(email=EMAIL, first_name=FIRST)
    consent.opt_in(customer.pk, "email", "a form")
    url = reverse("admin:customers_customer_erase_person", args=[customer.pk])
    asked = staff_client.post(url)
    assert f"Erase {FIRST}?" in asked.content.decode()
    assert "consents" in asked.content.decode()
    assert ErasureReceipt.objects.count() == 0

    done = staff_client.post(url, {"confirmed": "yes"}, follow=True)

    assert "The person was erased." in done.content.decode()
    assert EMAIL not in done.content.decode()


@pytest.fixture
def sink(settings: Settings) -> Any:
    with running(Sink()) as sink:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        yield sink


@pytest.mark.django_db(transaction=True)
def test_erasing_finishes_with_bulk_jobs_without_files(person: Customer, staff: User) -> None:
    BulkJob.objects.create(action=BulkJob.Action.ADD_TAGS)  # Django saves it with the file ""
    job = run_import(FILE.encode(), "again.csv")
    ImportJob.objects.filter(pk=job.pk).update(rejected_file="")

    jobs.run(erase(person, by=staff))

    assert ErasureReceipt.objects.get().finished_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_failing_step_stops_no_other(
    person: Customer,
    staff: User,
    staff_client: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "web.log").write_text(f"GET /?q={EMAIL} for {FIRST}\n")
    receipt = erase(person, by=staff)
    with monkeypatch.context() as broken:
        broken.setattr(files_of_people, "_delete_mails", lambda *_: Path(f"/no/{EMAIL}").stat())
        jobs.run(receipt)

    assert traces((tmp_path / "web.log").read_text()) == []
    receipt.refresh_from_db()
    assert receipt.finished_at is None
    assert receipt.failures == {"caught mails": "FileNotFoundError"}
    assert jobs.unattended(ErasureReceipt) == []
    ErasureReceipt.objects.update(leased_until=timezone.now())
    page = reverse("admin:customers_erasurereceipt_change", args=[receipt.pk])
    assert "Caught mails: FileNotFoundError" in staff_client.get(page).content.decode()
    assert "1 erasure is not finished" in staff_client.get("/admin/").content.decode()

    jobs.run(receipt)

    receipt.refresh_from_db()
    assert receipt.finished_at is not None
    assert receipt.failures == {}
    assert receipt.removed["lines of imported files"] == 4
    assert "not finished" not in staff_client.get("/admin/").content.decode()
