"""A failing provider pauses the run, is probed, and resumes after recovery."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from analytics.dashboards import run_errors
from crm.accounts.models import User
from marketing.campaigns import moves
from marketing.models import CampaignRun, SenderBreaker
from marketing.sending import turn
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db


def launched(people: int) -> CampaignRun:
    for number in range(people):
        make_customer(email=f"p{number}@example.com")
    return moves.launch(make_campaign(sender=make_sender(connections=1)))


def work(run: CampaignRun) -> None:
    while turn.work_on(run.pk):
        pass
    run.refresh_from_db()


def run_probe(run: CampaignRun) -> None:
    SenderBreaker.objects.update(probe_at=timezone.now())
    run.executions.filter(state="retry").update(next_attempt_at=timezone.now())
    turn.unattended_batches()
    work(run)


def test_a_failing_provider_pauses_the_run_with_an_error(sink: Sink) -> None:
    sink.everyone = "451 not today"
    run = launched(30)

    work(run)

    assert (run.state, run.pause_reason, run.campaign.state) == ("paused", "provider", "paused")
    assert "451 not today" in run.error
    assert [notice.detail for notice in run_errors()] == [run.error]
    assert run.executions.filter(attempts__gt=0).count() == 10


def test_failed_probes_lengthen_the_wait(sink: Sink) -> None:
    sink.everyone = "451 not today"
    run = launched(30)
    work(run)
    waited = SenderBreaker.objects.get().probe_at - timezone.now()

    run_probe(run)

    breaker = SenderBreaker.objects.get()
    assert (breaker.state, breaker.trips, run.state) == ("open", 2, "paused")
    assert breaker.probe_at - timezone.now() > waited + timedelta(seconds=20)
    assert run.executions.filter(attempts__gt=0).count() == 11


def test_a_recovered_provider_is_used_again(sink: Sink) -> None:
    sink.everyone = "451 not today"
    run = launched(30)
    work(run)
    sink.everyone = ""

    run_probe(run)
    run.executions.filter(state="retry").update(next_attempt_at=timezone.now())
    work(run)

    assert SenderBreaker.objects.get().state == "closed"
    assert run.executions.count_by_state() == {"sent": 30}


def test_a_manual_resume_tries_the_provider_again(sink: Sink, staff: User) -> None:
    sink.everyone = "451 not today"
    run = launched(30)
    work(run)
    sink.everyone = ""
    run.campaign.refresh_from_db()

    moves.resume(run.campaign, by=staff)
    work(run)

    assert SenderBreaker.objects.get().state == "closed"
    assert run.executions.count_by_state() == {"sent": 20, "retry": 10}


def test_an_unreachable_server_opens_the_breaker(
    settings: Settings,
) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    run = launched(3)
    for _turn in range(3):
        work(run)

    assert (run.state, run.pause_reason) == ("paused", "provider")
    assert run.executions.filter(attempts=0, state="pending").count() == 3


def test_hard_bounces_do_not_open_the_breaker(sink: Sink) -> None:
    sink.everyone = "550 5.1.1 no such user"
    run = launched(30)
    work(run)
    assert run.state == "finished"
    assert run.executions.count_by_state() == {"failed": 30}
