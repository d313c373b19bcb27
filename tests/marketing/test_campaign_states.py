"""A campaign allows only valid transitions and reports the possible states."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from time import sleep

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask

from marketing.campaigns import moves, states
from marketing.campaigns.moves import ImpossibleMove, NotReady
from marketing.models import Campaign, CampaignRun
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, make_template

pytestmark = pytest.mark.django_db

EVERYONE = {"operator": "AND", "conditions": []}
ACTIONS = {
    "scheduled": lambda campaign: moves.schedule_launch(
        campaign, at=timezone.now() + timedelta(hours=1), by=None
    ),
    "running": moves.launch,
    "paused": moves.pause,
    "completed": moves.complete,
    "cancelled": moves.cancel,
}


def campaign_in(state: str) -> Campaign:
    campaign = make_campaign(rules=EVERYONE)
    if state == "draft":
        return campaign
    if state in {"scheduled", "cancelled"}:
        ACTIONS[state](campaign)
        return campaign
    moves.launch(campaign)
    if state != "running":
        ACTIONS[state](campaign)
    return campaign


@pytest.mark.parametrize("target", ACTIONS)
@pytest.mark.parametrize("source", Campaign.State.values)
def test_a_campaign_allows_only_valid_transitions(source: str, target: str) -> None:
    campaign = campaign_in(source)
    action = moves.resume if (source, target) == ("paused", "running") else ACTIONS[target]
    if target in states.MOVES[source]:
        action(campaign)
        expected = target
    else:
        with pytest.raises(ImpossibleMove) as caught:
            action(campaign)
        assert caught.value.possible == sorted(states.MOVES[source])
        expected = source
    campaign.refresh_from_db()
    assert campaign.state == expected


def test_a_second_launch_creates_no_run() -> None:
    campaign = make_campaign(rules=EVERYONE)
    stale = Campaign.objects.get(pk=campaign.pk)
    moves.launch(campaign)

    with pytest.raises(ImpossibleMove):
        moves.launch(stale)
    assert CampaignRun.objects.count() == 1


def test_a_campaign_without_audience_cannot_be_sent() -> None:
    with pytest.raises(NotReady, match="has no audience"):
        moves.launch(make_campaign(rules=None))


def test_a_campaign_with_broken_content_cannot_be_sent() -> None:
    template = make_template(body="{% if %}")
    with pytest.raises(NotReady, match="line 1"):
        moves.launch(make_campaign(rules=EVERYONE, template=template))


def test_a_schedule_in_the_past_is_refused() -> None:
    with pytest.raises(NotReady, match="passed already"):
        moves.schedule_launch(
            make_campaign(rules=EVERYONE), at=timezone.now() - timedelta(seconds=1), by=None
        )


def test_a_campaign_has_one_entry_in_beat() -> None:
    campaign = make_campaign(rules=EVERYONE)
    soon, later = (timezone.now() + timedelta(hours=hours) for hours in (1, 2))
    moves.schedule_launch(campaign, at=soon, by=None)
    moves.schedule_launch(campaign, at=later, by=None)

    entry = PeriodicTask.objects.get(task="marketing.tasks.launch_scheduled")
    assert entry.clocked is not None
    assert entry.clocked.clocked_time == later
    assert entry.one_off
    assert entry.enabled

    moves.cancel(campaign)
    assert not PeriodicTask.objects.filter(task="marketing.tasks.launch_scheduled").exists()
    assert not ClockedSchedule.objects.filter(clocked_time=later).exists()


def test_a_due_campaign_is_launched_once() -> None:
    campaign = campaign_in("scheduled")
    assert moves.launch_if_due(campaign.pk) is None

    after = timezone.now() + timedelta(hours=2)
    assert moves.launch_if_due(campaign.pk, now=after) is not None
    assert moves.launch_if_due(campaign.pk, now=after) is None
    assert CampaignRun.objects.count() == 1


def test_an_overdue_launch_is_started_later() -> None:
    campaign = campaign_in("scheduled")
    Campaign.objects.update(next_run_at=timezone.now() - timedelta(minutes=5))

    moves.launch_overdue()

    campaign.refresh_from_db()
    assert campaign.state == "running"


def test_cancelling_skips_messages_not_sent_yet() -> None:
    make_customer(email="ada@example.com")
    campaign = campaign_in("running")
    run = campaign.runs.get()
    run.executions.create(customer=make_customer(), address="x@example.com")

    moves.cancel(campaign)

    assert run.executions.count_by_skip_reason() == {"cancelled": 1}
    run.refresh_from_db()
    assert run.state == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_pausing_locks_the_run_before_its_campaign() -> None:
    """Finishing a run locks in this order; the reverse order would deadlock."""
    campaign = campaign_in("running")

    def pause() -> None:
        moves.pause(campaign)
        connection.close()

    pausing = Thread(target=pause)
    with transaction.atomic():
        CampaignRun.objects.select_for_update().get(campaign=campaign)
        pausing.start()
        wait_until_a_lock_is_awaited()
        Campaign.objects.select_for_update(nowait=True).get(pk=campaign.pk)
    pausing.join()
    campaign.refresh_from_db()
    assert campaign.state == "paused"


def wait_until_a_lock_is_awaited() -> None:
    for _attempt in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
            if cursor.fetchone():
                return
        sleep(0.05)
    raise TimeoutError
