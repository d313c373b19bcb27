"""A social campaign publishes one post for each run."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient

from marketing.campaigns import moves
from marketing.models import Campaign, CampaignExecution, CampaignRun, RunPost, Sender
from marketing.sending import turn
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender, make_template
from tests.http_stub import Stub, serving

pytestmark = pytest.mark.django_db

POSTED = (200, {}, json.dumps({"id": "42", "url": "https://social.example/@shop/42"}))


@pytest.fixture
def stub(settings: Settings) -> Iterator[Stub]:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    with serving() as stub:
        stub.answer = POSTED
        yield stub


@pytest.fixture
def sender(stub: Stub) -> Sender:
    sender = make_sender(channel="social", provider="mastodon", from_address="")
    sender.set_setting("url", stub.url)
    sender.set_setting("token", "t")
    sender.save()
    return sender


@pytest.fixture
def campaign(sender: Sender) -> Campaign:
    make_customer()
    template = make_template(
        channel="social", subject="", body_format="text", body="New shoes! https://shop.example/new?a=1"
    )  # fmt: skip
    return make_campaign(
        channel="social", sender=sender, template=template, rules=None, utm_source="kindling", name="Shoes"
    )  # fmt: skip


def post_of(run: CampaignRun) -> RunPost:
    run.refresh_from_db()
    return RunPost.objects.get(run=run)


def test_a_run_publishes_one_post_and_ends(
    campaign: Campaign, stub: Stub, staff_client: Client
) -> None:
    run = moves.launch(campaign)
    for _ in range(3):
        turn.work_on(run.pk)
    (request,) = stub.requests
    assert request.form["status"] == (
        "New shoes! https://shop.example/new?a=1&utm_source=kindling&utm_medium=social&utm_campaign=shoes"
    )
    post = post_of(run)
    assert (post.provider_id, post.url) == ("42", "https://social.example/@shop/42")
    assert run.state == "finished"
    assert not CampaignExecution.objects.exists()
    page = staff_client.get(f"/admin/marketing/campaign/{campaign.pk}/change/")
    assert b"https://social.example/@shop/42" in page.content


def test_a_retry_uses_the_same_idempotency_key(campaign: Campaign, stub: Stub) -> None:
    stub.answers = [(503, {}, "busy"), POSTED]
    run = moves.launch(campaign)
    turn.work_on(run.pk)
    assert "503" in post_of(run).error
    assert turn.unattended_batches() == []
    RunPost.objects.update(next_attempt_at="2026-01-01T00:00Z")
    assert turn.unattended_batches() == [run.pk]
    turn.work_on(run.pk)
    assert post_of(run).posted_at
    keys = [request.headers["Idempotency-Key"] for request in stub.requests]
    assert keys[0] == keys[1]


def test_a_refused_post_pauses_the_campaign(campaign: Campaign, stub: Stub) -> None:
    stub.answers = [(422, {}, "too long"), POSTED]
    run = moves.launch(campaign)
    turn.work_on(run.pk)
    assert "too long" in post_of(run).error
    assert run.state == "paused"
    campaign.refresh_from_db()
    moves.resume(campaign)
    turn.work_on(run.pk)
    assert post_of(run).posted_at


def test_another_worker_retries_after_a_crash(campaign: Campaign, stub: Stub) -> None:
    run = moves.launch(campaign)
    CampaignRun.objects.update(state="sending")
    RunPost.objects.create(run=run, attempts=1, next_attempt_at="2999-01-01T00:00Z")
    turn.work_on(run.pk)
    assert stub.requests == []
    RunPost.objects.update(next_attempt_at="2026-01-01T00:00Z")
    turn.work_on(run.pk)
    assert len(stub.requests) == 1


def test_the_run_returns_the_url_of_its_post(
    api: APIClient, campaign: Campaign, stub: Stub
) -> None:
    run = moves.launch(campaign)
    turn.work_on(run.pk)
    public_id = api.get("/api/campaigns").data["results"][0]["id"]
    (run_data,) = api.get(f"/api/campaigns/{public_id}/runs").data["results"]
    assert run_data["post"]["url"] == "https://social.example/@shop/42"


def test_a_social_campaign_needs_no_audience(
    api: APIClient, campaign: Campaign, stub: Stub, staff_client: Client
) -> None:
    public_id = api.get("/api/campaigns").data["results"][0]["id"]
    dry = api.post(f"/api/campaigns/{public_id}/execute", {"dry_run": True})
    assert (dry.status_code, dry.data["audience"]) == (200, 0)
    asked = staff_client.get(reverse("admin:marketing_campaign_send_now", args=[campaign.pk]))
    assert "Publish the post as" in asked.content.decode()
    assert api.post(f"/api/campaigns/{public_id}/execute").status_code == 202
    assert campaign.runs.count() == 1
