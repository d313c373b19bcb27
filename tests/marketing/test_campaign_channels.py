"""A campaign, its sender and its templates are of one channel."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from crm.api import ids
from marketing.models import Campaign, CampaignTemplate
from tests.factories.marketing import EVERYONE, make_campaign, make_sender, make_template

pytestmark = pytest.mark.django_db

GIVEN = {"name": "Sale", "message": "Hi {name}", "rules": EVERYONE}


def test_the_channel_is_the_sender_s_and_the_message_is_of_it(api: APIClient) -> None:
    make_sender(name="Phones", channel="sms", provider="simulator")
    by_sender = api.post("/api/campaigns/", {**GIVEN, "sender": "Phones"})
    assert by_sender.status_code == 201, by_sender.data
    assert by_sender.data["channel"] == "sms"
    assert CampaignTemplate.objects.get().channel == "sms"
    by_channel = api.post("/api/campaigns/", {**GIVEN, "channel": "sms"})
    assert by_channel.data["sender"] == by_sender.data["sender"]


def test_a_sender_of_another_channel_or_none_is_refused(api: APIClient) -> None:
    missing = api.post("/api/campaigns/", {**GIVEN, "channel": "push"})
    assert [each["path"] for each in missing.data["errors"]] == ["sender"]
    make_sender(name="Mail")
    other = api.post("/api/campaigns/", {**GIVEN, "channel": "sms", "sender": "Mail"})
    assert [each["path"] for each in other.data["errors"]] == ["sender"]
    assert not Campaign.objects.exists()


def test_a_template_of_another_channel_does_not_start(api: APIClient) -> None:
    campaign = make_campaign(template=make_template(channel="sms", body="Hi"))
    answer = api.post(f"/api/campaigns/{ids.encode('cmp', campaign.pk)}/execute/")
    assert answer.status_code == 400
    assert "SMS" in str(answer.data)
