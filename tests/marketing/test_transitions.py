"""One statement records results and marks the next messages as sending."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import Interaction, Suppression
from marketing.campaigns import moves
from marketing.messages import batches, queue
from marketing.messages.transitions import (
    Advanced,
    SendResult,
    advance,
    mark_sending,
    record_results,
)
from marketing.models import CampaignRun
from marketing.sending.connection_pool import ErrorKind, State
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign, take_snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> CampaignRun:
    for name in ("ada", "bob", "cyd"):
        make_customer(email=f"{name}@example.com")
    run = moves.launch(make_campaign(rules={"operator": "AND", "conditions": []}))
    take_snapshot(run)
    return CampaignRun.objects.get(pk=run.pk)


def test_one_statement_records_results_and_marks_the_next(
    run: CampaignRun,
) -> None:
    lease, plan = uuid.uuid4(), batches.plan_of(run)
    first, second, _third = queue.claim(run, lease)
    mark_sending(run, plan, lease, [first])
    sent = SendResult(State.SENT, timezone.now(), provider_id="<1@shop.example>")

    with CaptureQueriesContext(
        connection,
    ) as queries:
        done = advance(run, plan, lease, attempted=[(first, sent)], leaving=[second])

    assert len(queries) == 1
    assert done == Advanced(recorded=frozenset({first.pk}), marked=frozenset({second.pk}))
    assert run.executions.count_by_state() == {"sent": 1, "sending": 1, "pending": 1}
    assert second.attempts == 1
    event = Interaction.objects.get(type="message_sent")
    assert (event.customer_id, event.execution_id) == (first.customer_id, first.pk)
    assert event.properties == {"run": run.pk, "channel": "email"}


def test_a_repeated_advance_records_results_once(
    run: CampaignRun,
) -> None:
    lease, plan = uuid.uuid4(), batches.plan_of(run)
    first, second, _third = queue.claim(run, lease)
    mark_sending(run, plan, lease, [first])
    ended = [(first, SendResult(State.SENT, timezone.now()))]
    advance(run, plan, lease, attempted=ended, leaving=[second])

    again = advance(run, plan, lease, attempted=ended, leaving=[second])

    assert again == Advanced(recorded=frozenset(), marked=frozenset({second.pk}))
    assert second.attempts == 1
    assert Interaction.objects.filter(type="message_sent").count() == 1


def test_a_hard_bounce_suppresses_the_address_at_once(run: CampaignRun) -> None:
    lease, plan = uuid.uuid4(), batches.plan_of(run)
    (claimed, *_others) = queue.claim(run, lease)
    mark_sending(run, plan, lease, [claimed])
    bounce = SendResult(
        State.FAILED, timezone.now(), error="550 no such user", error_kind=ErrorKind.HARD_BOUNCE
    )

    record_results(run, plan, lease, [(claimed, bounce)])

    assert Suppression.objects.get().address == claimed.address
    assert not Interaction.objects.filter(type="message_sent").exists()


def test_work_during_an_advance_may_query_the_database(run: CampaignRun) -> None:
    lease = uuid.uuid4()
    claimed = queue.claim(run, lease)
    known = []

    def count_suppressions() -> None:
        known.append(Suppression.objects.count())

    done = advance(run, batches.plan_of(run), lease, leaving=claimed, meanwhile=count_suppressions)

    assert known == [0]
    assert done.marked == {each.pk for each in claimed}
