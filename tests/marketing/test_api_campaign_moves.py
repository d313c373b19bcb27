"""The API changes the state of a campaign and lists the possible states."""

from __future__ import annotations

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from crm.api import ids
from customers import consent
from marketing.models import Campaign, CampaignRun
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_run, make_template

pytestmark = pytest.mark.django_db


def url(campaign: Campaign, rest: str) -> str:
    return f"/api/campaigns/{ids.encode('cmp', campaign.pk)}/{rest}"


@pytest.mark.parametrize("name", ["execute", "launch"])
def test_execute_starts_and_returns_a_run(api: APIClient, name: str) -> None:
    campaign = make_campaign()
    answer = api.post(url(campaign, name))
    assert answer.status_code == 202, answer.data
    assert answer.data["id"] == ids.encode("run", CampaignRun.objects.get().pk)
    campaign.refresh_from_db()
    assert campaign.state == "running"


def test_a_dry_run_counts_and_sends_nothing(api: APIClient) -> None:
    make_customer(email="fine@example.com")
    make_customer(email=None, external_id="no-address")
    consent.opt_out(make_customer(email="out@example.com").pk, "email", "asked us to stop")
    campaign = make_campaign()

    answer = api.post(url(campaign, "execute"), {"dry_run": True})

    assert answer.status_code == 200
    people = answer.data["people"]
    assert len(answer.data["fingerprint"]) == 64
    others = answer.data.keys() - {"people", "fingerprint"}
    assert {name: answer.data[name] for name in others} == {
        "audience": 3,
        "reachable": 1,
        "delayed": 0,
        "variants": {},
        "skipped": {"no_address": 1, "not_subscribed": 1},
    }
    assert {reason: [each["address"] for each in of] for reason, of in people.items()} == {
        "": ["fine@example.com"],
        "no_address": [""],
        "not_subscribed": ["out@example.com"],
    }
    assert not CampaignRun.objects.exists()


def test_a_campaign_without_audience_is_refused_with_a_reason(api: APIClient) -> None:
    answer = api.post(url(make_campaign(rules=None), "execute"))
    assert answer.status_code == 400
    assert "has no audience" in answer.data["errors"][0]["message"]


def test_a_broken_template_is_refused_with_the_reason(api: APIClient) -> None:
    answer = api.post(url(make_campaign(template=make_template(body="{% if %}")), "execute"))
    assert answer.status_code == 400
    assert "line 1" in answer.data["errors"][0]["message"]


def test_a_running_campaign_is_paused_resumed_and_cancelled(api: APIClient) -> None:
    campaign = make_campaign()
    api.post(url(campaign, "execute"))
    statuses = [
        api.post(url(campaign, move)).data["status"] for move in ("pause", "resume", "cancel")
    ]
    assert statuses == ["paused", "running", "cancelled"]
    assert CampaignRun.objects.get().state == "cancelled"


def test_an_impossible_move_returns_the_possible_states(api: APIClient) -> None:
    campaign = make_campaign()
    answer = api.post(url(campaign, "pause"))
    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["possible"] == ["cancelled", "running", "scheduled"]
    assert answer.json()["type"] == "impossible-move"


@pytest.mark.parametrize(
    ("state", "wanted", "code", "after"),
    [
        ("draft", "running", 200, "running"),
        ("draft", "scheduled", 400, "draft"),
        ("draft", "draft", 409, "draft"),
        ("running", "paused", 200, "paused"),
        ("running", "completed", 200, "completed"),
        ("running", "scheduled", 409, "running"),
        ("paused", "running", 200, "running"),
        ("completed", "running", 409, "completed"),
        ("cancelled", "draft", 409, "cancelled"),
    ],
)
def test_put_status_allows_only_valid_transitions(
    api: APIClient, state: str, wanted: str, code: int, after: str
) -> None:
    launched_at = timezone.now() if state == "running" else None
    campaign = make_campaign(state=state, launched_at=launched_at)
    answer = api.put(url(campaign, "status"), {"status": wanted})
    assert answer.status_code == code, answer.data
    campaign.refresh_from_db()
    assert campaign.state == after


def test_an_unknown_id_is_not_found(api: APIClient) -> None:
    assert api.post("/api/campaigns/cmp_nothing/pause").status_code == 404
    assert api.post("/api/campaigns/17/pause").status_code == 404


def test_an_anonymous_request_is_refused(client) -> None:
    campaign = make_campaign()
    make_run(campaign)
    assert client.post(url(campaign, "pause")).status_code == 401
