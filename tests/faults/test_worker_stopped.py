"""A worker that gets SIGTERM finishes the messages it is sending and leaves none unconfirmed."""

from __future__ import annotations

import pytest

from tests.faults.processes import running, wait_until, worker
from tests.faults.runs import assert_everyone_once, is_finished, launched
from tests.smtp_sink import Sink

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

MESSAGES = 1_500
GRACE_SECONDS = 8


def test_a_stopped_worker_leaves_no_message_unconfirmed(sink: Sink) -> None:
    run = launched(MESSAGES)
    program = worker(EMAIL_URL=sink.url, processes=2)
    with running(program):
        wait_until(lambda: len(sink.arrived) >= MESSAGES // 50)
        program.stop(within=GRACE_SECONDS)
        assert set(run.executions.count_by_state()) == {"pending", "sent"}
        assert run.executions.filter(state="sent").count() == len(sink.arrived) < MESSAGES

        program.start()
        wait_until(lambda: is_finished(run))

    assert_everyone_once(run, sink)
