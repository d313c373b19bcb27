"""Users retry failed messages and resolve unconfirmed ones."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from crm.api import ids
from customers import consent
from marketing.campaigns import moves
from marketing.campaigns.moves import retry_failed
from marketing.models import CampaignRun
from marketing.sending import turn
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db


def finished_run(**outcomes: dict[str, str]) -> CampaignRun:
    """Create a finished run with one message for each given state and error kind."""
    run = make_run(make_campaign(state="completed"), state="finished", finished_at=timezone.now())
    for name, fields in outcomes.items():
        lease = uuid.uuid4() if fields["state"] == "unconfirmed" else None
        person = make_customer(email=f"{name}@example.com")
        make_execution(run, person, lease=lease, attempts=3, **fields)
    return run


def states(run: CampaignRun) -> dict[str, str]:
    return {each.address.partition("@")[0]: each.state for each in run.executions.all()}


def test_a_retry_sends_only_failed_messages(sink: Sink) -> None:
    run = finished_run(
        ada={"state": "failed", "error_kind": "temporary"},
        bob={"state": "sent"},
        cyd={"state": "failed", "error_kind": "hard_bounce"},
        dan={"state": "failed", "error_kind": "blocked"},
    )
    consent.suppress("email", "dan@example.com", "manual", "a letter")

    assert retry_failed(run.campaign) == 1
    run.campaign.refresh_from_db()
    assert run.campaign.state == "running"
    while turn.work_on(run.pk):
        pass

    assert sink.recipients() == {"ada@example.com": 1}
    assert states(run) == {"ada": "sent", "bob": "sent", "cyd": "failed", "dan": "failed"}
    run.campaign.refresh_from_db()
    assert run.campaign.state == "completed"


def test_a_cancelled_campaign_cannot_be_retried() -> None:
    run = finished_run(ada={"state": "failed", "error_kind": "temporary"})
    CampaignRun.objects.update(state="cancelled")
    with pytest.raises(moves.NotReady):
        retry_failed(run.campaign)


def test_the_api_retries_and_resolves_messages(api: APIClient) -> None:
    run = finished_run(
        ada={"state": "failed", "error_kind": "temporary"},
        bob={"state": "unconfirmed"},
        cyd={"state": "unconfirmed"},
    )
    campaign = f"/api/campaigns/{ids.encode('cmp', run.campaign_id)}"
    bob = ids.encode("msg", run.executions.get(address__startswith="bob").pk)

    assert api.post(f"{campaign}/retry-failed").json() == {"retried": 1}
    one = api.post(f"{campaign}/settle", {"arrived": True, "executions": [bob]})
    assert one.json() == {"settled": 1}
    assert api.post(f"{campaign}/settle", {"arrived": False}).json() == {"settled": 1}
    assert states(run) == {"ada": "retry", "bob": "sent", "cyd": "failed"}
    assert "staff@example.com" in run.executions.get(address__startswith="cyd").error
    wrong = api.post(f"{campaign}/settle", {"arrived": True, "executions": ["msg_none"]})
    assert wrong.status_code == 400


def test_the_admin_confirms_retries_and_resolutions(staff_client: Client) -> None:
    run = finished_run(
        ada={"state": "failed", "error_kind": "temporary"},
        bob={"state": "unconfirmed"},
        cyd={"state": "unconfirmed"},
    )
    page = reverse("admin:marketing_campaign_change", args=[run.campaign_id])
    assert "Retry failed messages" in staff_client.get(page).content.decode()
    button = reverse("admin:marketing_campaign_retry_failed", args=[run.campaign_id])
    staff_client.post(button, {"confirmed": "1"})
    assert states(run)["ada"] == "retry"

    every = reverse("admin:marketing_campaignexecution_changelist")
    chosen = [str(pk) for pk in run.executions.values_list("pk", flat=True)]
    asked = {"action": "all_arrived", "_selected_action": chosen}
    assert "<b" in staff_client.post(every, asked).content.decode()
    staff_client.post(every, {**asked, "confirmed": "1"})
    assert states(run) == {"ada": "retry", "bob": "sent", "cyd": "sent"}
