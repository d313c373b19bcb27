"""The API checks, previews and test-sends templates."""

from __future__ import annotations

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from crm.api import ids
from marketing.models import CampaignTemplate
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender, make_template
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db


def url(template: CampaignTemplate, rest: str = "") -> str:
    return f"/api/templates/{ids.encode('tpl', template.pk)}/{rest}"


def test_the_api_creates_changes_and_deletes_a_template(api: APIClient) -> None:
    made = api.post("/api/templates/", {"name": "Spring", "subject": "Hi", "body": "<p>{name}</p>"})
    assert made.status_code == 201, made.data
    template = CampaignTemplate.objects.get()
    assert api.patch(url(template), {"subject": "Hello"}).data["subject"] == "Hello"
    assert api.delete(url(template)).status_code == 204


def test_invalid_liquid_is_refused_with_its_line(api: APIClient) -> None:
    answer = api.post("/api/templates/", {"name": "A", "body": "<p>\n{% if %}"})
    assert answer.status_code == 400
    assert answer.data["errors"][0]["path"] == "body"
    assert "line 2" in answer.data["errors"][0]["message"]


def test_a_template_in_use_cannot_be_deleted(api: APIClient) -> None:
    answer = api.delete(url(make_campaign().template))
    assert answer.status_code == 409


def test_a_preview_renders_for_the_given_customer(
    api: APIClient,
) -> None:
    ada = make_customer(first_name="Ada", email="ada@example.com", external_id="c-1")
    template = make_template(body="<p>Hi {{ customer.first_name }} {{ customer.shoe_size }}</p>")
    for known_as in ("c-1", ids.encode("cus", ada.pk)):
        seen = api.post(url(template, "preview"), {"customer": known_as}).json()
        assert seen["subject"] == "Hello Ada"
        assert "Hi Ada" in seen["html"]
        assert "Hi Ada" in seen["text"]
        assert seen["unknown"] == ["customer.shoe_size"]
        assert seen["customer"] == ids.encode("cus", ada.pk)


def test_a_preview_works_without_customers(api: APIClient) -> None:
    seen = api.post(url(make_template(), "preview"))
    assert seen.status_code == 200, seen.data
    assert seen.json()["customer"] is None


def test_a_test_is_sent_to_one_address_and_marked(api: APIClient, sink: Sink) -> None:
    template = make_template(subject="Sale")
    answer = api.post(url(template, "test-send"), {"to": "me@example.com"})
    assert answer.status_code == 200, answer.data
    assert answer.data["simulated"] is False
    assert sink.recipients() == {"me@example.com": 1}
    assert sink.messages()[0]["Subject"] == "[Test] Sale"


def test_a_provider_failure_returns_502_with_the_reason(api: APIClient, settings: Settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    answer = api.post(url(make_template(), "test-send"), {"to": "me@example.com"})
    assert answer.status_code == 502
    assert "cannot be reached" in answer.data["detail"]


def test_a_simulator_test_is_marked_simulated(api: APIClient) -> None:
    sender = make_sender(provider="simulator")
    given = {"to": "me@example.com", "sender": sender.name}
    assert api.post(url(make_template(), "test-send"), given).data["simulated"] is True
