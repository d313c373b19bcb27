"""The admin checks, previews and test-sends templates."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from marketing.models import CampaignTemplate, Sender
from tests.factories.customers import make_customer
from tests.factories.marketing import make_sender, make_template
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db

ADD = reverse("admin:marketing_campaigntemplate_add")
PREVIEW = reverse("admin:marketing_campaigntemplate_preview")
TEST = reverse("admin:marketing_campaigntemplate_test_send")

CONTENT = {
    "name": "Spring",
    "subject": "Hi {name}",
    "body": "<p>Dear {{ customer.first_name }}</p>",
}


def test_the_form_saves_a_template(staff_client: Client) -> None:
    assert staff_client.get(ADD).status_code == 200
    assert staff_client.post(ADD, CONTENT).status_code == 302
    assert CampaignTemplate.objects.get().subject == "Hi {name}"


def test_invalid_liquid_is_refused_with_its_line(staff_client: Client) -> None:
    response = staff_client.post(ADD, {**CONTENT, "body": "<p>\n{% if %}"})
    assert "line 2" in str(response.context["adminform"].form.errors["body"])


def test_the_preview_renders_for_the_chosen_customer(staff_client: Client) -> None:
    make_customer(first_name="Bob")
    ada = make_customer(first_name="Ada", last_name="Byron")
    body = CONTENT["body"] + "{{ customer.shoe_size }}"
    seen = staff_client.post(PREVIEW, {**CONTENT, "body": body, "customer": ada.pk}).json()
    assert seen["subject"] == "Hi Ada Byron"
    assert "Dear Ada" in seen["html"]
    assert "Dear Ada" in seen["text"]
    assert seen["unknown"] == ["customer.shoe_size"]


def test_the_preview_reports_an_error_with_its_line(staff_client: Client) -> None:
    seen = staff_client.post(PREVIEW, {**CONTENT, "body": "{% if %}"}).json()
    assert "line 1" in seen["error"]


def test_the_preview_requires_a_staff_post(client: Client, staff_client: Client) -> None:
    assert client.post(PREVIEW, CONTENT).status_code == 302
    assert staff_client.get(PREVIEW).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff_client.cookies
    assert strict.post(PREVIEW, CONTENT).status_code == 403


def test_the_admin_confirms_a_sent_test(staff_client: Client, sink: Sink) -> None:
    given = {**CONTENT, "to": "me@example.com", "sender": make_sender().pk}
    answer = staff_client.post(TEST, given)
    assert answer.json() == {"message": "Sent to me@example.com."}
    assert sink.recipients() == {"me@example.com": 1}


def test_a_failed_test_returns_the_reason(staff_client: Client, settings: Settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    given = {**CONTENT, "to": "me@example.com", "sender": make_sender().pk}
    answer = staff_client.post(TEST, given)
    assert answer.status_code == 400
    assert "cannot be reached" in answer.json()["error"]


def test_a_test_requires_an_address(staff_client: Client) -> None:
    answer = staff_client.post(TEST, {**CONTENT, "to": "nobody", "sender": make_sender().pk})
    assert "valid email" in answer.json()["error"]


def test_templates_and_senders_are_listed(staff_client: Client) -> None:
    make_template(name="Spring")
    make_sender(name="Shop", provider="simulator")
    make_sender(name="Post")
    templates = staff_client.get(reverse("admin:marketing_campaigntemplate_changelist"))
    senders = staff_client.get(reverse("admin:marketing_sender_changelist")).content.decode()
    assert "Spring" in templates.content.decode()
    assert "Simulated" in senders
    assert "SMTP server" in senders


def test_the_form_creates_a_sender(staff_client: Client) -> None:
    given = {"name": "Shop", "channel": "email", "provider": "smtp"}
    staff_client.post(reverse("admin:marketing_sender_add"), given)
    assert Sender.objects.get().channel == "email"
