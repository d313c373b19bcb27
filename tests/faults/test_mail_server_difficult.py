"""A mail server defers, refuses, hangs or hangs up: deferred messages arrive later, and none arrives twice."""

from __future__ import annotations

import pytest

from customers.models import Suppression
from marketing.models import CampaignRun, SenderBreaker
from tests.faults.processes import running, wait_until, worker
from tests.faults.runs import addresses, assert_everyone_once, is_finished, launched
from tests.smtp_sink import Sink

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

MESSAGES = 60
SOME = [f"p{number}@example.com" for number in range(0, MESSAGES, 20)]


def is_paused(run: CampaignRun) -> bool:
    return CampaignRun.objects.get(pk=run.pk).pause_reason == "provider"


@pytest.mark.parametrize(
    "answer",
    ["421 4.3.2 going down", "450 4.2.0 greylisted", "hang", "554 5.7.1 Relay access denied", "550 Rejected"],
)  # fmt: skip
def test_a_temporary_refusal_of_all_is_retried(sink: Sink, answer: str) -> None:
    sink.everyone = answer
    run = launched(MESSAGES)
    with running(worker(EMAIL_URL=sink.url, EMAIL_TIMEOUT_SECONDS="2")):
        wait_until(lambda: is_paused(run))
        sink.everyone = ""
        wait_until(lambda: is_finished(run))

    assert_everyone_once(run, sink)
    assert addresses(run, "sent") == set(sink.recipients())
    assert SenderBreaker.objects.get().state == "closed"
    assert not Suppression.objects.exists()


def test_a_daily_limit_in_the_middle_is_waited_for(sink: Sink) -> None:
    sink.takes, sink.over_limit = 150, "550 5.4.5 Daily user sending limit exceeded"
    run = launched(400, connections=4)
    with running(worker(EMAIL_URL=sink.url)):
        wait_until(lambda: is_paused(run))
        assert "Daily user sending limit exceeded" in CampaignRun.objects.get(pk=run.pk).error
        sink.takes = None
        wait_until(lambda: is_finished(run))

    assert_everyone_once(run, sink)
    assert len(sink.recipients()) == 400
    assert not Suppression.objects.exists()


def test_a_refusal_of_some_delays_no_other(sink: Sink) -> None:
    put_off, refused, hung = SOME
    sink.refusals = {put_off: "450 4.2.0 later", refused: "550 5.1.1 no such user"}
    sink.after_data = {hung: "hang"}
    run = launched(MESSAGES)
    with running(worker(EMAIL_URL=sink.url, EMAIL_TIMEOUT_SECONDS="2")):
        wait_until(lambda: len(addresses(run, "sent")) == MESSAGES - len(SOME))
        sink.refusals = {}
        wait_until(lambda: is_finished(run))

    assert addresses(run, "failed") == {refused}
    assert addresses(run, "unconfirmed") == {hung}
    assert addresses(run, "sent") >= {put_off}
    assert max(sink.recipients().values()) == 1
    assert Suppression.objects.get().address == refused


def test_a_connection_lost_after_data_is_never_sent_again(
    sink: Sink,
) -> None:
    sink.after_data = dict.fromkeys(SOME, "drop")
    run = launched(MESSAGES)
    with running(worker(EMAIL_URL=sink.url)):
        wait_until(lambda: is_finished(run))

    assert addresses(run, "unconfirmed") == set(SOME)
    assert_everyone_once(run, sink, in_doubt=len(SOME))
