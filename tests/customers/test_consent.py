"""Consent is stored by channel and topic, and the newest decision of any source wins."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient

from crm.events import reader
from customers import consent
from customers.ingest import clean_customer, upsert_customers
from customers.models import Consent, Customer, Topic
from marketing.campaigns.audience import dry_run
from marketing.tracking import double_opt_in
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign
from tests.smtp_sink import Sink, running

pytestmark = pytest.mark.django_db


def decisions(customer: Customer) -> tuple[list[str], list[str]]:
    customer.refresh_from_db()
    return customer.opted_out_channels, customer.opted_out_topics


def test_the_newest_decision_on_each_channel_and_topic_wins() -> None:
    customer = make_customer()
    consent.opt_out(customer.pk, "email", "a", topic="offers")
    consent.opt_out(customer.pk, "sms", "b")
    assert decisions(customer) == (["sms"], ["email:offers"])
    consent.opt_in(customer.pk, "email", "c", topic="offers")
    consent.opt_in(customer.pk, "sms", "d")
    assert decisions(customer) == ([], [])
    assert Consent.objects.count() == 4


def test_a_campaign_skips_customers_opted_out_of_its_topic() -> None:
    offers = Topic.objects.create(slug="offers", name="Offers")
    consent.opt_out(make_customer().pk, "email", "asked", topic="offers")
    make_customer()
    assert dry_run(make_campaign(topic=offers)).skipped == {"not_subscribed": 1}
    assert dry_run(make_campaign()).skipped == {}


def test_a_file_or_call_sets_consent_for_any_topic() -> None:
    rows = [
        clean_customer({"email": "a@example.com", "consent": "email, -sms:offers"}),
        clean_customer({"email": "b@example.com", "subscribed": "no"}),
    ]
    for _again in range(2):
        upsert_customers(rows, evidence="import: people.csv")
    first, second = Customer.objects.order_by("email")
    assert decisions(first) == ([], ["sms:offers"])
    assert decisions(second) == (["email"], [])
    assert Consent.objects.count() == 3


def test_an_unknown_channel_is_refused(api: APIClient) -> None:
    answer = api.post("/api/customers", {"email": "a@example.com", "consent": {"fax": True}})
    assert answer.status_code == 400
    assert answer.data["errors"][0]["path"] == "consent"


def test_the_api_stores_a_decision_with_its_evidence(api: APIClient) -> None:
    customer = make_customer(external_id="c-1")
    answer = api.post(
        "/api/customers/c-1/consents",
        {"channel": "email", "topic": "news", "decision": "opted_out", "evidence": "on the phone"},
    )
    assert answer.status_code == 201
    assert answer.data["results"][0]["evidence"] == "on the phone"
    assert decisions(customer) == ([], ["email:news"])


@pytest.fixture
def sink(settings: Settings) -> object:
    with running(Sink()) as sink:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        yield sink


def test_double_opt_in_asks_once_and_counts_when_confirmed(
    settings: Settings, client: Client, sink: Sink
) -> None:
    settings.DOUBLE_OPT_IN = True
    row = clean_customer({"email": "ada@example.com", "subscribed": True})
    for _again in range(2):
        upsert_customers([row], evidence="import: people.csv")
    customer = Customer.objects.get()
    assert decisions(customer) == (["email"], [])
    assert Consent.objects.get().decision == "pending"

    double_opt_in.send_requests([customer.pk])
    (mail,) = sink.messages()
    body = mail.get_body(("plain",))
    assert body is not None
    (link,) = re.findall(r"/u/confirm/[\w-]+", body.get_content())
    assert client.get(link).status_code == 200
    assert decisions(customer) == (["email"], [])

    for _twice in range(2):
        assert b"Thank you" in client.post(link).content
    assert decisions(customer) == ([], [])
    assert Consent.objects.filter(decision="opted_in").count() == 1


def test_a_confirmation_link_of_a_deleted_customer_is_404(client: Client) -> None:
    customer = make_customer()
    consent.ask_many([customer.pk], "email", "a form")
    request = Consent.objects.get()
    path = double_opt_in.confirmation_url(request).partition("/u/")[2]
    consent.opt_out(customer.pk, "email", "changed my mind")
    assert client.post(f"/u/{path}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_request_reaches_the_worker_through_the_outbox(
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    asked: list[list[int]] = []
    monkeypatch.setattr("marketing.subscribers.nudge", lambda _task, ids: asked.append(ids))
    customer = make_customer()
    consent.ask_many([customer.pk], "email", "a form")
    reader.drain_all()
    assert asked == [[customer.pk]]
