"""The API returns metrics, an event stream, runs and messages of a campaign."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from crm.api import event_stream, files, ids
from crm.api.places import Places
from marketing.api import stream
from marketing.models import Campaign, CampaignRun
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run
from tests.marketing.queries import marketing_queries

pytestmark = pytest.mark.django_db


def url(campaign: Campaign, rest: str) -> str:
    return f"/api/campaigns/{ids.encode('cmp', campaign.pk)}/{rest}"


@pytest.fixture
def run() -> CampaignRun:
    """Create a run with two messages sent in the last ten seconds, one skipped and two pending."""
    run = make_run(make_campaign(state=Campaign.State.RUNNING))
    now = timezone.now()
    rows = [
        {"state": "delivered", "sent_at": now - timedelta(seconds=10)},
        {"state": "bounced", "sent_at": now - timedelta(seconds=5)},
        {"state": "skipped", "skip_reason": "suppressed"},
        {"state": "pending"},
        {"state": "pending"},
    ]
    for number, fields in enumerate(rows):
        make_execution(run, make_customer(email=f"p{number}@example.com"), **fields)
    return run


def test_realtime_returns_the_metrics_of_a_running_batch(api: APIClient, run: CampaignRun) -> None:
    figures = api.get(url(run.campaign, "realtime")).json()
    assert figures["by_state"] == {"delivered": 1, "bounced": 1, "skipped": 1, "pending": 2}
    assert figures["by_skip_reason"] == {"suppressed": 1}
    assert (figures["total"], figures["done"]) == (5, 3)
    assert figures["rate_per_second"] == pytest.approx(0.2, abs=0.05)
    assert (figures["sent"], figures["failed"], figures["delivery_rate"]) == (2, 0, 0.5)
    assert figures["eta"] > timezone.now().isoformat()


def test_all_metrics_are_zero_before_the_first_run(api: APIClient) -> None:
    figures = api.get(url(make_campaign(), "realtime")).json()
    assert (figures["run"], figures["total"], figures["eta"]) == (None, 0, None)


def test_the_delivery_rate_is_that_of_the_results(api: APIClient) -> None:
    """Of a provider that reports no deliveries too."""
    run = make_run(make_campaign(state=Campaign.State.RUNNING))
    for state in ["sent"] * 3 + ["bounced", "failed"]:
        make_execution(run, make_customer(), state=state)
    figures = api.get(url(run.campaign, "realtime")).json()
    assert (figures["sent"], figures["failed"], figures["delivery_rate"]) == (4, 1, 0.75)
    assert api.get(url(make_campaign(), "realtime")).json()["delivery_rate"] is None


def test_a_paused_run_has_no_eta(api: APIClient, run: CampaignRun) -> None:
    CampaignRun.objects.update(state="paused")
    figures = api.get(url(run.campaign, "realtime")).json()
    assert (figures["rate_per_second"], figures["eta"]) == (0, None)


def test_the_stream_ends_when_the_campaign_completes(
    api: APIClient, run: CampaignRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(seconds: float) -> None:
        Campaign.objects.update(state="completed")

    monkeypatch.setattr(event_stream.time, "sleep", finish)
    answer = api.get(url(run.campaign, "realtime") + "?stream=1")

    assert answer.headers["Content-Type"] == "text/event-stream"
    events = b"".join(answer.streaming_content).decode()
    assert [line for line in events.splitlines() if line.startswith("event")] == [
        "event: progress",
        "event: done",
    ]


def test_the_accept_header_selects_the_event_stream(api: APIClient, run: CampaignRun) -> None:
    Campaign.objects.update(state="completed")
    answer = api.get(url(run.campaign, "realtime"), headers={"Accept": "text/event-stream"})
    assert b"event: done" in b"".join(answer.streaming_content)


def test_the_stream_ends_after_a_minute(run: CampaignRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream.time, "sleep", lambda seconds: None)
    times = iter(range(0, 1000, 25))
    answer = stream.response(run.campaign, 1, clock=lambda: next(times))
    assert len(list(answer.streaming_content)) == 2


def test_a_stream_beyond_those_held_open_reconnects_later(
    run: CampaignRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream.time, "sleep", lambda seconds: None)
    now = [0]
    held = [
        iter(stream.response(run.campaign, user, clock=lambda: now[0]))
        for user in range(event_stream.HELD_OPEN.most)
    ]
    for each in held:
        next(each)

    [only] = stream.response(run.campaign, "another")
    assert only.startswith(b"retry: 10000\nevent: progress\n")

    now[0] = 100
    assert [list(each) for each in held] == [[]] * len(held)
    assert next(iter(stream.response(run.campaign, "another"))).startswith(b"event: progress")


def test_a_user_leaves_streams_to_others(run: CampaignRun) -> None:
    held = [
        iter(stream.response(run.campaign, "ada"))
        for _ in range(event_stream.HELD_OPEN.most_a_user)
    ]
    for each in held:
        next(each)

    assert next(iter(stream.response(run.campaign, "ada"))).startswith(b"retry:")
    other = iter(stream.response(run.campaign, "bob"))
    assert next(other).startswith(b"event:")


def test_exports_leave_threads_to_others(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clients read slowly; a third export is refused until one of them is done."""
    monkeypatch.setattr(files, "EXPORTS", Places(most=2, most_a_user=2))
    exports = [api.get("/api/customers?format=csv") for _ in range(2)]
    for each in exports:
        next(iter(each.streaming_content))

    refused = api.get("/api/customers?format=csv")
    assert (refused.status_code, refused["Retry-After"]) == (429, "10")
    assert api.get("/api/customers").status_code == 200
    b"".join(exports[0].streaming_content)
    assert api.get("/api/customers?format=csv").status_code == 200


def test_runs_are_listed_newest_first(api: APIClient) -> None:
    campaign = make_campaign()
    make_run(campaign, state="finished")
    make_run(campaign)
    results = api.get(url(campaign, "runs")).data["results"]
    assert [(each["number"], each["status"]) for each in results] == [
        (2, "sending"),
        (1, "finished"),
    ]


def test_messages_filter_by_state_reason_and_run(api: APIClient, run: CampaignRun) -> None:
    assert len(marketing_queries(lambda: api.get(url(run.campaign, "executions")))) == 3

    def count(query: str) -> int:
        return api.get(url(run.campaign, f"executions?{query}")).data["count"]

    assert count("state=pending") == 2
    assert count("skip_reason=suppressed") == 1
    assert count(f"run={ids.encode('run', run.pk)}") == 5
    assert count("run=run_nothing") == 0


def test_a_message_returns_its_history_and_reason(api: APIClient, run: CampaignRun) -> None:
    skipped = run.executions.get(state="skipped")
    answer = api.get(f"/api/executions/{ids.encode('msg', skipped.pk)}").json()
    assert "on the suppression list" in answer["why"]
    assert [moment["what"] for moment in answer["history"]] == ["Added to the campaign"]

    delivered = run.executions.get(state="delivered")
    answer = api.get(f"/api/executions/{ids.encode('msg', delivered.pk)}").json()
    assert "Accepted by the provider" in [moment["what"] for moment in answer["history"]]
    assert answer["campaign"] == ids.encode("cmp", run.campaign_id)


def test_counts_of_a_large_run_are_cached_for_seconds(api: APIClient, run: CampaignRun) -> None:
    CampaignRun.objects.filter(pk=run.pk).update(audience=1_000_000)
    first = api.get(url(run.campaign, "realtime")).json()["by_state"]
    run.executions.filter(state="pending").update(state="sent")

    assert api.get(url(run.campaign, "realtime")).json()["by_state"] == first

    CampaignRun.objects.filter(pk=run.pk).update(state="paused")
    assert api.get(url(run.campaign, "realtime")).json()["by_state"] != first
