"""Campaigns of every channel reach their provider."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from customers.models.consent import Channel
from marketing.content.utm import UtmTags
from marketing.models import Campaign, CampaignExecution
from marketing.sending import turn
from tests.factories.customers import make_customer
from tests.factories.marketing import EVERYONE, make_campaign, make_sender, make_template
from tests.http_stub import Stub, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stub(settings: Settings) -> Iterator[Stub]:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    with serving() as stub:
        yield stub


def send(campaign: Campaign) -> None:
    run = campaign.runs.get()
    while turn.work_on(run.pk):
        pass


def test_a_text_is_sent_to_customers_with_a_number(api: APIClient, stub: Stub) -> None:
    stub.answer = (201, {}, json.dumps({"sid": "SM1"}))
    api.post("/api/senders", {
        "name": "Texts", "channel": "sms", "provider": "twilio", "from_address": "+15005550006",
        "settings": {"account_sid": "AC1", "auth_token": "t", "api_url": stub.url},
    })  # fmt: skip
    make_customer(phone="+4915112345678", first_name="Ada")
    make_customer()
    made = api.post(
        "/api/campaigns",
        {
            "name": "Sale",
            "channel": "sms",
            "message": "Hi {name}: https://shop.example/sale",
            "rules": EVERYONE,
        },
    )
    assert made.status_code == 201, made.content
    api.post(f"/api/campaigns/{made.data['id']}/execute")
    send(Campaign.objects.get())
    (request,) = stub.requests
    assert request.form["Body"].startswith("Hi Ada: http")
    assert "/t/c/" in request.form["Body"]
    states = dict(CampaignExecution.objects.values_list("address", "state"))
    assert states == {"+4915112345678": "sent", "": "skipped"}
    assert CampaignExecution.objects.get(state="sent").provider_id == "SM1"


def test_a_webhook_receives_one_message_per_customer(api: APIClient, stub: Stub) -> None:
    api.post("/api/senders", {
        "name": "Hook", "channel": "webhook", "provider": "webhook", "settings": {"url": f"{stub.url}/in"},
    })  # fmt: skip
    make_customer(external_id="7", first_name="Ada")
    made = api.post("/api/campaigns", {
        "name": "Points", "channel": "webhook", "message": '{"name": "{{ customer.first_name }}"}', "rules": EVERYONE,
    })  # fmt: skip
    assert made.status_code == 201, made.content
    api.post(f"/api/campaigns/{made.data['id']}/execute")
    send(Campaign.objects.get())
    (request,) = stub.requests
    assert request.json["to"]["address"] == "7"
    assert request.json["data"] == {"name": "Ada"}


def test_the_channel_follows_the_sender(api: APIClient) -> None:
    sender = make_sender(channel="sms", provider="simulator")
    made = api.post("/api/campaigns", {"name": "X", "sender": sender.name, "message": "Hi"})
    assert made.status_code == 201, made.content
    assert made.data["channel"] == "sms"
    assert Campaign.objects.get().template.channel == "sms"


@pytest.mark.parametrize("channel", [each for each in Channel if each != Channel.EMAIL])
def test_a_channel_without_sender_is_refused(api: APIClient, channel: str) -> None:
    response = api.post("/api/campaigns", {"name": "X", "channel": channel, "message": "{}"})
    assert response.status_code == 400
    assert "Name a sender" in response.content.decode()


def test_sender_and_template_must_match_the_channel(api: APIClient) -> None:
    make_sender(channel="sms", provider="simulator", name="Texts")
    mail = make_template(name="Mail")
    for wrong in (
        {"channel": "email", "sender": "Texts", "message": "Hi"},
        {"channel": "sms", "template": "Mail"},
    ):
        response = api.post("/api/campaigns", {"name": "X", **wrong})
        assert response.status_code == 400
        assert "Choose one of the campaign's channel" in response.content.decode()
    assert mail.channel == "email"


@pytest.mark.parametrize(
    ("goal", "kind", "event"),
    [
        ({"window_days": 3}, "order", ""),
        ({"event": "Trial Started", "value": "plan_value"}, "event", "Trial Started"),
        ("order", "order", ""),
        ("Trial Started", "event", "Trial Started"),
    ],
)
def test_a_goal_is_an_order_or_any_event(
    api: APIClient, goal: object, kind: str, event: str
) -> None:
    made = api.post("/api/campaigns", {"name": "X", "message": "Hi", "goal": goal})
    assert made.status_code == 201, made.content
    assert (made.data["goal"]["kind"], made.data["goal"]["event"]) == (kind, event)
    wrong = api.post("/api/campaigns", {"name": "X", "message": "Hi", "goal": {"kind": "event"}})
    assert wrong.status_code == 400


def test_links_get_utm_tags_and_keep_their_own() -> None:
    campaign = make_campaign(name="Summer Sale", utm_source="kindling")
    address = "https://shop.example/a?x=1&utm_medium=mine#top"
    assert UtmTags.of(campaign).tag(address, "B") == (
        "https://shop.example/a?x=1&utm_medium=mine&utm_source=kindling&utm_campaign=summer-sale&utm_content=B#top"
    )
    campaign.utm_source = ""
    assert UtmTags.of(campaign).tag(address) == address
