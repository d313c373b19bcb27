"""Workers of jobs that are all busy do not delay a message."""

from __future__ import annotations

import time

import psycopg
import pytest
from django.db import connection

from crm.management.commands.serve import WORKERS
from customers.models import Segment
from customers.tasks import refresh_segment
from tests.faults.processes import Celery, database_url, running, wait_until
from tests.faults.runs import EVERYONE, assert_everyone_once, is_finished, launched
from tests.smtp_sink import Sink

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

PROCESSES = 2
MESSAGES = 50
SECONDS = 20
"""On a machine that runs other tests, too."""


def waiting_for_a_lock() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        count: int = cursor.fetchone()[0]
    return count


def test_a_campaign_is_sent_while_jobs_hang(sink: Sink) -> None:
    segment = Segment.objects.create(name="Locked", slug="locked", rules=EVERYONE)
    workers = [
        Celery(
            "worker", "--queues", queues, "--hostname", f"{name}@%h", "--concurrency", f"{PROCESSES}",
            "--without-gossip", "--without-mingle", EMAIL_URL=sink.url,
        )
        for name, queues in WORKERS.items()
    ]  # fmt: skip
    with (
        running(*workers, Celery("beat", "--pidfile=")),
        psycopg.connect(database_url()) as other,
    ):
        other.execute("SELECT FROM customers_segment WHERE id = %s FOR UPDATE", [segment.pk])
        for _process in range(PROCESSES):
            refresh_segment.delay(segment.pk)
        wait_until(lambda: waiting_for_a_lock() >= PROCESSES)

        started = time.monotonic()
        run = launched(MESSAGES)
        wait_until(lambda: is_finished(run))

        assert time.monotonic() - started < SECONDS
        assert waiting_for_a_lock() >= PROCESSES

    assert_everyone_once(run, sink)
