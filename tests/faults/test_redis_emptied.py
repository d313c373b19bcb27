"""The broker loses its whole content, again and again: every campaign still finishes."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest
import redis

from tests.faults.processes import running, worker
from tests.faults.runs import assert_everyone_once, is_finished, launched
from tests.smtp_sink import Sink

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

MESSAGES = 2_000
PER_SECOND = 20
SECOND = timedelta(seconds=1)


def test_a_batch_finishes_after_redis_is_emptied(sink: Sink) -> None:
    run = launched(MESSAGES)
    broker = redis.Redis.from_url(os.environ["REDIS_URL"].replace("redis+socket://", "unix://"))
    with running(worker(EMAIL_URL=sink.url)):
        while not is_finished(run):
            broker.flushall()
            time.sleep(0.3)

    assert_everyone_once(run, sink)


def test_rate_limits_hold_after_redis_is_emptied(sink: Sink) -> None:
    run = launched(60, per_second=PER_SECOND)
    broker = redis.Redis.from_url(os.environ["REDIS_URL"].replace("redis+socket://", "unix://"))
    with running(worker(EMAIL_URL=sink.url, processes=2)):
        while not is_finished(run):
            broker.flushall()
            time.sleep(0.2)

    left = sorted(run.executions.values_list("sending_at", flat=True))
    for number, start in enumerate(left):
        within_a_second = sum(start <= other < start + SECOND for other in left[number:])
        assert within_a_second <= PER_SECOND * 1.3  # a busy machine commits a little late
    assert left[-1] - left[0] >= SECOND * 59 / PER_SECOND * 0.95
