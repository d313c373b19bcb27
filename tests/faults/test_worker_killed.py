"""A worker process that is killed loses nothing and repeats nothing: its message on the way is `unconfirmed`, at most one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from customers.models import Customer
from marketing.campaigns import lifecycle
from marketing.models import CampaignRun
from tests.factories.marketing import make_campaign
from tests.smtp_sink import Sink, running

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = 2_000
KILLS = 6
LEASE_SECONDS = 3


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running(Sink()) as sink:
        yield sink


class Worker:
    """A Celery worker with beat in it, on the test's database and a queue of its own."""

    def __init__(self, sink: Sink) -> None:
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "EMAIL_URL": sink.url,
            "SENDING_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "crm", "worker", "--beat", "--pool", "prefork",
             "--concurrency", "1", "--loglevel", "warning", "--without-gossip", "--without-mingle"],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
        )  # fmt: skip

    def kill(self) -> None:
        """SIGKILL to the worker and its pool, as when the machine's memory runs out."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


def database_url() -> str:
    """The test's own database, for another process."""
    name = connection.settings_dict["NAME"]
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def has_taken(sink: Sink, count: int) -> bool:
    return len(sink.messages) >= count


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def test_a_run_survives_kills_with_nobody_twice_and_nobody_lost(sink: Sink) -> None:
    Customer.objects.bulk_create(
        Customer(email=f"p{number}@example.com") for number in range(MESSAGES)
    )
    run = lifecycle.launch(make_campaign(rules={"operator": "AND", "conditions": []}))
    worker = Worker(sink)
    try:
        for kill in range(1, KILLS + 1):
            wait_until(partial(has_taken, sink, kill * MESSAGES // (KILLS + 2)))
            time.sleep(random.uniform(0, 0.05))
            worker.kill()
            worker.start()
        wait_until(lambda: CampaignRun.objects.get(pk=run.pk).state == "finished")
    finally:
        worker.stop()

    unconfirmed = set(run.executions.filter(state="unconfirmed").values_list("address", flat=True))
    sent = set(run.executions.filter(state="sent").values_list("address", flat=True))
    arrived = sink.recipients
    assert max(arrived.values()) == 1
    assert sent <= set(arrived) <= sent | unconfirmed
    assert len(sent) + len(unconfirmed) == MESSAGES
    assert len(unconfirmed) <= KILLS
