"""A worker process that is killed loses nothing and repeats nothing: what was on its way is `unconfirmed`, one message a connection at
most."""

from __future__ import annotations

import random
import time
from functools import partial

import pytest

from tests.faults.processes import running, wait_until, worker
from tests.faults.runs import assert_everyone_once, is_finished, launched
from tests.smtp_sink import Sink

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

MESSAGES = 5_000
KILLS = 10


def has_taken(sink: Sink, count: int) -> bool:
    return len(sink.arrived) >= count


@pytest.mark.parametrize("connections", [1, 2])
def test_a_batch_survives_killed_workers(sink: Sink, connections: int) -> None:
    run = launched(MESSAGES, connections=connections)
    victim = worker(EMAIL_URL=sink.url, SENDING_LEASE_SECONDS="4")
    with running(victim):
        for kill in range(1, KILLS + 1):
            wait_until(partial(has_taken, sink, kill * MESSAGES // (KILLS + 2)))
            time.sleep(random.uniform(0, 0.05))
            victim.kill()
            victim.start()
        wait_until(lambda: is_finished(run))

    assert_everyone_once(run, sink, in_doubt=KILLS * connections)
