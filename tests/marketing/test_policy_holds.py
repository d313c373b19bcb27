"""Caps, limits and budgets hold while several workers and campaigns send."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connections
from django.utils import timezone

from marketing.campaigns import moves
from marketing.campaigns.states import NobodyToSendTo
from marketing.messages import batches
from marketing.models import Campaign, CampaignExecution, CampaignRun, QuietHours, SendOnce
from marketing.sending import quota, turn
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_cap, make_sender, take_snapshot


@pytest.fixture
def people() -> list[int]:
    return [make_customer().pk for _ in range(40)]


def simulated_campaign(**fields: object) -> Campaign:
    return make_campaign(sender=make_sender(provider="simulator"), **fields)


def send(run: CampaignRun) -> None:
    """Work until no more messages may be sent now."""
    while turn.work_on(run.pk):
        pass


def run_concurrently(*jobs: Callable[[], object]) -> None:
    """Run each job in a thread with its own database connection."""

    def work(job: Callable[[], object]) -> None:
        try:
            job()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def states(run: CampaignRun) -> Counter[str]:
    return Counter(
        reason or state for state, reason in run.executions.values_list("state", "skip_reason")
    )


@pytest.fixture
def launched() -> Callable[..., CampaignRun]:
    def launch(**fields: object) -> CampaignRun:
        run = moves.launch(simulated_campaign(**fields))
        take_snapshot(run)
        return run

    return launch


@pytest.mark.django_db(transaction=True)
def test_a_cap_holds_for_two_concurrent_campaigns(
    people: list[int], launched: Callable[..., CampaignRun]
) -> None:
    make_cap(messages=1, days=7)
    one, other = launched(), launched()

    run_concurrently(lambda: send(one), lambda: send(other))

    sent = CampaignExecution.objects.filter(state="sent").values_list("customer_id", flat=True)
    assert Counter(sent) == dict.fromkeys(people, 1)
    assert (states(one) + states(other))["frequency_cap"] == len(people)
    one.refresh_from_db()
    assert one.state == "finished"


@pytest.mark.django_db(transaction=True)
def test_a_send_once_key_holds_for_concurrent_campaigns(
    people: list[int], launched: Callable[..., CampaignRun]
) -> None:
    one, other = launched(send_once_key="welcome"), launched(send_once_key="welcome")

    run_concurrently(lambda: send(one), lambda: send(other))

    sent = CampaignExecution.objects.filter(state="sent").values_list("customer_id", flat=True)
    assert Counter(sent) == dict.fromkeys(people, 1)
    assert (states(one) + states(other))["already_sent"] == len(people)
    assert set(SendOnce.objects.values_list("key", "customer")) == {
        ("welcome", person) for person in people
    }


@pytest.mark.django_db(transaction=True)
def test_an_hourly_limit_holds_with_several_workers(
    people: list[int], launched: Callable[..., CampaignRun]
) -> None:
    run = launched(hourly_limit=13)

    run_concurrently(lambda: send(run), lambda: send(run), lambda: send(run))
    assert states(run) == {"sent": 13, "pending": 27}
    assert run.pk not in turn.unattended_batches()
    more_at = quota.more_at(run, batches.plan_of(run).limits)
    assert more_at is not None
    assert timedelta(minutes=59) < more_at - timezone.now() <= timedelta(hours=1)

    run.executions.filter(state="sent").update(sent_at=timezone.now() - timedelta(minutes=61))
    run_concurrently(lambda: send(run), lambda: send(run))
    assert states(run) == {"sent": 26, "pending": 14}


@pytest.mark.django_db(transaction=True)
def test_a_reached_budget_pauses_the_run_with_an_error(
    people: list[int], launched: Callable[..., CampaignRun]
) -> None:
    run = launched(budget=Decimal("1.05"), cost_per_message=Decimal("0.10"))

    run_concurrently(lambda: send(run), lambda: send(run))
    turn.unattended_batches()

    assert states(run) == {"sent": 10, "pending": 30}
    run.refresh_from_db()
    assert (run.state, run.pause_reason) == ("paused", "budget")
    assert "1.05" in run.error
    campaign = run.campaign
    assert campaign.state == "paused"

    campaign.budget = Decimal(4)
    campaign.save()
    moves.resume(campaign)
    send(run)
    assert states(run) == {"sent": 40}
    run.refresh_from_db()
    assert run.state == "finished"


@pytest.mark.django_db
def test_a_sufficient_budget_sends_every_message(
    people: list[int], launched: Callable[..., CampaignRun]
) -> None:
    run = launched(budget=Decimal(4), cost_per_message=Decimal("0.10"))
    send(run)
    assert states(run) == {"sent": 40}


@pytest.mark.django_db
def test_the_budget_uses_the_sender_cost_by_default(people: list[int]) -> None:
    sender = make_sender(provider="simulator", cost_per_message=Decimal("0.5"))
    run = moves.launch(make_campaign(sender=sender, budget=Decimal(2)))
    send(run)
    assert states(run) == {"sent": 4, "pending": 36}


@pytest.mark.django_db
def test_new_quiet_hours_delay_pending_messages(
    people: list[int], launched: Callable[..., CampaignRun]
) -> None:
    run = launched()
    now = datetime.now(UTC)
    QuietHours.objects.create(
        name="Now",
        starts_at=(now - timedelta(hours=1)).time(),
        ends_at=(now + timedelta(hours=1)).time(),
    )

    send(run)

    assert states(run) == {"pending": 40}
    assert not run.executions.filter(next_attempt_at=None).exists()
    assert not run.executions.exclude(lease=None).exists()
    run.refresh_from_db()
    assert run.state == "sending"

    QuietHours.objects.all().delete()
    run.executions.update(next_attempt_at=timezone.now())
    send(run)
    assert states(run) == {"sent": 40}


@pytest.mark.django_db
def test_exempt_campaigns_ignore_the_cap_but_count_for_others(
    people: list[int], launched: Callable[..., CampaignRun]
) -> None:
    make_cap()
    for _ in range(2):
        run = launched(exempt_from_caps=True)
        send(run)
        assert states(run) == {"sent": 40}
    with pytest.raises(NobodyToSendTo, match=r"All 40 customers .* frequency cap"):
        launched()
