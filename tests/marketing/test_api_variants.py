"""The API manages variants, winner, holdout group and limits of a campaign."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from marketing.campaigns import moves
from marketing.models import Campaign, Snippet
from tests.factories.customers import make_customer
from tests.factories.marketing import EVERYONE, make_campaign, make_template, make_variants

pytestmark = pytest.mark.django_db

URL = "/api/campaigns/"
BODY: dict[str, Any] = {
    "name": "Spring",
    "rules": EVERYONE,
    "variants": [
        {"name": "A", "weight": 1, "message": "Hi {name}, spring is here", "subject": "Spring!"},
        {"name": "B", "weight": 3, "message": "Hello {name}"},
    ],
}


@pytest.fixture
def api(admin_user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(admin_user)
    return client


def post(api: APIClient, **fields: Any) -> Any:
    return api.post(URL, {**BODY, **fields}, format="json")


def test_a_campaign_needs_only_variants_as_content(api: APIClient) -> None:
    answer = post(api)
    assert answer.status_code == 201, answer.json()
    variants = answer.json()["variants"]
    assert [(each["name"], each["weight"]) for each in variants] == [("A", 1), ("B", 3)]
    campaign = Campaign.objects.get(name="Spring")
    assert [each.template.subject for each in campaign.variants.all()] == ["Spring!", "Spring"]
    assert campaign.template == campaign.variants.first().template


def test_a_variant_needs_either_a_template_or_a_message(api: APIClient) -> None:
    template = make_template(name="Summer")
    answer = post(api, variants=[{"name": "A", "template": "Summer"}])
    assert answer.status_code == 201
    assert Campaign.objects.get().variants.get().template == template

    for variant in ({"name": "A"}, {"name": "A", "template": "Summer", "message": "Hi"}):
        refused = post(api, variants=[variant])
        assert refused.status_code == 400
        assert "variants" in refused.json()["errors"][0]["path"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"variants": [{"name": "a", "message": "x"}, {"name": "A", "message": "y"}]}, "variants"),
        ({"variants": [{"name": "A", "weight": 0, "message": "x"}]}, "variants"),
        ({"test_share": 0}, "test_share"),
        ({"test_share": 100, "winner": {"by": "time"}}, "test_share"),
        ({"winner": {"by": "dice"}}, "winner"),
        ({"winner": {"by": "confidence", "confidence": 1.5}}, "winner"),
        ({"holdout": 91}, "holdout"),
        ({"holdout": "some"}, "holdout"),
        ({"hourly_limit": 0}, "hourly_limit"),
        ({"cost_per_message": -1}, "cost_per_message"),
    ],
)
def test_an_invalid_value_is_refused_at_its_path(
    api: APIClient, fields: dict[str, Any], path: str
) -> None:
    answer = post(api, **fields)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"].startswith(path)


def test_winner_and_test_audience_imply_each_other(
    api: APIClient,
) -> None:
    created = post(api, winner={"by": "bandit", "metric": "revenue", "after_hours": 6}).json()
    assert created["test_share"] == 20
    assert created["winner"] == {
        "by": "bandit",
        "metric": "revenue",
        "after_hours": 6,
        "confidence": 0.95,
        "name": "",
        "why": "",
        "decided_at": None,
    }
    assert post(api, test_share=30).json()["winner"]["by"] == "time"
    assert post(api, winner=None).json()["winner"]["by"] == ""


def test_a_patch_replaces_variants_matched_by_name(api: APIClient) -> None:
    url = f"{URL}{post(api).json()['id']}/"
    variant_b = Campaign.objects.get().variants.get(name="B")
    answer = api.patch(
        url,
        {"variants": [{"name": "B", "message": "New"}, {"name": "C", "message": "Newer"}]},
        format="json",
    )
    assert [each["name"] for each in answer.json()["variants"]] == ["B", "C"]
    variant_b.refresh_from_db()
    assert (variant_b.weight, variant_b.template.body) == (1, "New")
    assert api.patch(url, {"name": "Other"}, format="json").json()["variants"] != []
    assert api.patch(url, {"variants": []}, format="json").json()["variants"] == []


def test_variants_of_a_launched_campaign_cannot_change(api: APIClient) -> None:
    make_customer()
    campaign = make_campaign()
    (only,) = make_variants(campaign, A=1)
    moves.launch(campaign)
    (listed,) = api.get(URL).json()["results"]
    url = f"{URL}{listed['id']}/"
    same = [{"name": "A", "weight": 1, "template": only.template.name}]
    assert api.patch(url, {"variants": same}, format="json").status_code == 200
    other = [{"name": "A", "weight": 2, "template": only.template.name}]
    assert api.patch(url, {"variants": other}, format="json").status_code == 409


def test_a_dry_run_counts_and_lists_customers_by_reason(api: APIClient) -> None:
    for _ in range(3):
        make_customer()
    unreachable = make_customer(email=None, external_id="x")
    campaign = f"{URL}{post(api, holdout=0).json()['id']}"

    found = api.post(f"{campaign}/execute/", {"dry_run": True}, format="json").json()

    assert (found["audience"], found["reachable"], found["skipped"]) == (4, 3, {"no_address": 1})
    assert sum(found["variants"].values()) == 3
    assert len(found["people"][""]) == 3
    (named,) = api.get(f"{campaign}/audience/", {"reason": "no_address"}).json()
    assert named == found["people"]["no_address"][0]
    assert named["customer"].startswith("cus_")
    assert named["name"] == unreachable.name
    first = api.get(f"{campaign}/audience/").json()[0]["customer"]
    assert len(api.get(f"{campaign}/audience/", {"after": first}).json()) == 2


def test_the_api_manages_caps_and_quiet_hours(api: APIClient) -> None:
    cap = {"name": "Three a week", "channel": "email", "messages": 3, "days": 7}
    made = api.post("/api/frequency-rules/", cap, format="json")
    assert made.status_code == 201
    assert made.json()["active"] is True
    url = f"/api/frequency-rules/{made.json()['id']}/"
    assert api.patch(url, {"messages": 0}, format="json").status_code == 400
    assert api.patch(url, {"messages": 2}, format="json").json()["messages"] == 2

    night = {"name": "Night", "starts_at": "21:00", "ends_at": "08:00"}
    made = api.post("/api/quiet-hours/", night, format="json")
    assert made.json()["starts_at"] == "21:00:00"
    same = {"name": "Never", "starts_at": "21:00", "ends_at": "21:00"}
    assert api.post("/api/quiet-hours/", same, format="json").status_code == 400
    assert api.delete(f"/api/quiet-hours/{made.json()['id']}/").status_code == 204


def test_a_variant_message_may_include_a_snippet(api: APIClient) -> None:
    Snippet.objects.create(name="legal", body="Shop Ltd.")
    variants = [
        {"name": "A", "message": "Hi {% include 'legal' %}"},
        {"name": "B", "message": "Hello"},
    ]
    assert post(api, variants=variants).status_code == 201
