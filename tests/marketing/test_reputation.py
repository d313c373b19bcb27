"""Too many bounces or complaints pause a run and give the reason."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import Settings

from crm.accounts.models import User
from marketing.campaigns import moves
from marketing.models import CampaignExecution, CampaignRun
from marketing.sending import reputation
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_execution, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _few_are_enough(settings: Settings) -> None:
    settings.PAUSE_RATES_FROM = 10


def run_of(messages: int, **fields: object) -> CampaignRun:
    """Create a sending run with this many sent messages, the first five with these fields."""
    run = make_run(make_campaign(state="running"))
    for number in range(messages):
        now = timezone.now()
        special = fields if number < 5 else {"state": "sent"}
        person = make_customer(email=f"p{number}@example.com")
        make_execution(run, person, sending_at=now, sent_at=now, **special)
    return run


def pause_reason(run: CampaignRun) -> str:
    reputation.hold_batches()
    run.refresh_from_db()
    return run.pause_reason


def test_many_hard_bounces_pause_the_run_with_a_reason() -> None:
    run = run_of(20, state="bounced", error_kind="hard_bounce")
    assert pause_reason(run) == "bounces"
    assert run.error == "5 of 20 messages bounced permanently."


@pytest.mark.parametrize("kind", ["soft_bounce", "blocked"])
def test_soft_bounces_and_blocks_pause_nothing(kind: str) -> None:
    assert pause_reason(run_of(20, state="bounced", error_kind=kind)) == ""


def test_many_complaints_pause_the_run() -> None:
    run = run_of(20, state="complained", complained_at=timezone.now())
    assert pause_reason(run) == "complaints"


def test_too_few_messages_pause_nothing() -> None:
    assert pause_reason(run_of(9, state="bounced", error_kind="hard_bounce")) == ""


def test_simulated_bounces_pause_nothing() -> None:
    run = run_of(20, state="bounced", error_kind="hard_bounce")
    CampaignRun.objects.update(simulated=True)
    assert pause_reason(run) == ""


def test_earlier_bounces_do_not_count_after_a_resume(staff: User) -> None:
    run = run_of(20, state="bounced", error_kind="hard_bounce")
    pause_reason(run)
    run.campaign.refresh_from_db()
    moves.resume(run.campaign, by=staff)
    assert pause_reason(run) == ""
    assert CampaignExecution.objects.filter(state="bounced").count() == 5
