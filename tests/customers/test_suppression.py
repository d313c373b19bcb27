"""A suppressed address receives no message of any kind."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from crm.api import files
from crm.api.places import Places
from customers import consent
from customers.models import Suppression
from marketing.campaigns import moves, runs
from marketing.channels.base import PermanentError
from marketing.content.previews import send_test
from marketing.messages import batches, queue
from marketing.messages.transitions import mark_sending
from marketing.models import CampaignRun
from marketing.sending import recheck, turn
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender, make_template
from tests.smtp_sink import Sink, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def sink(settings: Settings) -> object:
    with running(Sink()) as sink:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        yield sink


def materialised() -> CampaignRun:
    run = moves.launch(make_campaign())
    while runs.fill(run):
        pass
    run.refresh_from_db()
    return run


def finish(run: CampaignRun) -> dict[str, int]:
    while turn.work_on(run.pk):
        pass
    return run.executions.count_by_skip_reason()


def test_a_suppression_after_the_snapshot_counts(sink: Sink) -> None:
    make_customer(email="ada@example.com")
    make_customer(email="bob@example.com")
    run = materialised()
    consent.suppress("email", "ADA@example.com", "manual", "a letter")
    assert finish(run) == {"suppressed": 1}
    assert sink.recipients() == {"bob@example.com": 1}


def test_a_pause_or_opt_out_after_the_snapshot_counts(sink: Sink) -> None:
    run_for = [make_customer(email=f"{name}@example.com") for name in ("ada", "bob", "cyd")]
    run = materialised()
    consent.pause(run_for[0].pk, timezone.now() + timedelta(days=30), "asked")
    consent.opt_out(run_for[1].pk, "email", "asked")
    assert finish(run) == {"not_subscribed": 2}
    assert sink.recipients() == {"cyd@example.com": 1}


def test_a_claimed_message_is_rechecked_before_sending() -> None:
    make_customer(email="ada@example.com")
    run = materialised()
    lease = uuid.uuid4()
    plan = batches.plan_of(run)
    (held,) = queue.claim(run, lease)
    consent.suppress("email", "ada@example.com", "manual", "just now")
    assert not mark_sending(run, plan, lease, [held])
    recheck.skip_ineligible(plan.policy, lease, [held])
    assert run.executions.get().skip_reason == "suppressed"


def test_a_test_message_respects_the_suppression_list(sink: Sink, api: APIClient) -> None:
    consent.suppress("email", "ada@example.com", "manual", "a letter")
    template, sender = make_template(), make_sender()
    with pytest.raises(PermanentError):
        send_test(template, sender=sender, to_address="Ada@Example.com")
    assert sink.recipients() == {}


def test_the_api_suppresses_and_restores_addresses(api: APIClient) -> None:
    assert api.post("/api/suppressions", {"address": "Ada@Example.com"}).status_code == 201
    assert api.post("/api/suppressions", {"address": "ada@example.com"}).status_code == 200
    assert api.post("/api/suppressions", {"address": "nobody"}).status_code == 400
    many = api.post(
        "/api/suppressions", {"addresses": ["ada@example.com", "bob@example.com", "no"]}
    )
    assert many.status_code == 207
    assert many.data == {
        "added": 1,
        "known": 1,
        "refused": ["no"],
        "errors": [{"index": 2, "message": "This is not an address of the channel."}],
    }
    listed = api.get("/api/suppressions", {"search": "bob"}).data["results"]
    assert [each["address"] for each in listed] == ["bob@example.com"]
    assert api.delete(f"/api/suppressions/{listed[0]['id']}").status_code == 204
    assert api.delete("/api/suppressions/ada@example.com").status_code == 204
    assert api.delete("/api/suppressions/ada@example.com").status_code == 404
    assert not Suppression.objects.exists()


def test_the_list_is_exported_as_csv(api: APIClient) -> None:
    consent.suppress("email", "ada@example.com", "manual", "=cmd")
    answer = b"".join(api.get("/api/suppressions?format=csv").streaming_content).decode()
    assert "ada@example.com" in answer
    assert "'=cmd" in answer


def test_many_addresses_are_suppressed_from_file_or_text(staff_client: Client) -> None:
    file = SimpleUploadedFile("list.csv", b"ada@example.com\r\nBob@example.com;\nrubbish\n")
    url = reverse("admin:customers_suppression_import_addresses")
    assert staff_client.get(url).status_code == 200
    given = {"channel": "email", "reason": "manual", "pasted": "<cyd@example.com>", "file": file}
    answer = staff_client.post(url, given, follow=True)
    assert "3 addresses are suppressed; invalid: 1 (rubbish)." in answer.content.decode()
    assert Suppression.objects.count() == 3
    export = reverse("admin:customers_suppression_export_csv")
    assert b"bob@example.com" in b"".join(staff_client.get(export).streaming_content)


def test_an_export_waits_for_a_place(staff_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "EXPORTS", Places(most=1, most_a_user=1))
    consent.suppress("email", "ada@example.com", "manual", "")
    export = reverse("admin:customers_suppression_export_csv")
    slow = staff_client.get(export)
    next(iter(slow.streaming_content))
    assert "Too many exports" in staff_client.get(export, follow=True).content.decode()
    b"".join(slow.streaming_content)
    # read to its end: a cursor of the server that is left open waits for the next query, and it for the cursor
    assert b"ada@example.com" in b"".join(staff_client.get(export).streaming_content)
