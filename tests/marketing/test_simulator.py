"""The simulator delivers nothing and creates deterministic, marked reactions."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Consent, Interaction
from marketing.campaigns import moves
from marketing.channels import simulator
from marketing.models import CampaignRun
from marketing.sending import turn
from marketing.tracking.simulated_engagement import simulate_engagement
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_sender


@pytest.fixture
def run(db: None) -> CampaignRun:
    for number in range(60):
        make_customer(email=f"p{number}@example.com")
    everyone = {"operator": "AND", "conditions": []}
    run = moves.launch(make_campaign(rules=everyone, sender=make_sender(provider="simulator")))
    while turn.work_on(run.pk):
        pass
    run.refresh_from_db()
    return run


def test_simulated_deliveries_are_deterministic() -> None:
    acts = Counter(
        reaction.act for number in range(5000) for reaction in simulator.reactions(f"msg_{number}")
    )
    assert 0.88 < acts["deliver"] / 5000 < 0.92
    assert acts["deliver"] + acts["bounce"] == 5000
    assert 0.38 < acts["open"] / acts["deliver"] < 0.46
    assert simulator.reactions("msg_1") == simulator.reactions("msg_1")


def test_reactions_are_ordered_and_limited_in_time() -> None:
    for number in range(1000):
        times = [reaction.after for reaction in simulator.reactions(f"msg_{number}")]
        assert times == sorted(times)
        assert times[-1] < simulator.REACTION_TIME


def test_every_reaction_is_recorded_once(run: CampaignRun) -> None:
    start = timezone.now()
    for second in (1, 3, 3, 30):
        simulate_engagement(start + timedelta(seconds=second))
    simulate_engagement(start + timedelta(hours=1))
    assert simulate_engagement(start + timedelta(hours=2)) == 0

    happened = Counter(
        Interaction.objects.exclude(type="message_sent").values_list("type", flat=True)
    )
    executions = run.executions.all()
    assert happened["message_delivered"] == sum(bool(each.delivered_at) for each in executions)
    assert happened["message_opened"] == sum(bool(each.opened_at) for each in executions)
    assert happened["message_delivered"] + happened["message_bounced"] == 60
    run.refresh_from_db()
    assert run.reactions_done_at is not None


def test_simulated_events_are_marked_and_change_no_consent(
    run: CampaignRun,
) -> None:
    simulate_engagement(timezone.now() + timedelta(hours=1))
    assert all(each.properties["simulated"] for each in Interaction.objects.all())
    assert not Consent.objects.exists()
