"""PostgreSQL restarts while messages are being sent: workers record the results afterwards, and none is unconfirmed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from marketing.models import CampaignRun
from tests.faults.processes import database_url, running, wait_until, worker
from tests.faults.runs import assert_everyone_once, launched
from tests.smtp_sink import Sink

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

MESSAGES = 2_000
RESTARTS = 3


@pytest.fixture(autouse=True)
def _reconnect() -> Iterator[None]:
    yield
    connection.close()


def ask(sql: str, *parameters: Any) -> Any:
    """Return one value of the test database, by a connection of its own."""
    with psycopg.connect(database_url()) as other:
        row = other.execute(sql, parameters).fetchone()
    assert row
    return row[0]


def restart() -> None:
    """Stop the server at once; its supervisor starts it again."""
    folder = Path(ask("SHOW data_directory"))
    os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(0.2)
        try:
            ask("SELECT 1")
        except psycopg.OperationalError:
            continue
        return
    raise AssertionError("PostgreSQL did not come back")


def is_finished(run: CampaignRun) -> bool:
    try:
        state = ask("SELECT state FROM marketing_campaignrun WHERE id = %s", run.pk)
    except psycopg.OperationalError:
        return False
    return bool(state == "finished")


def test_a_batch_survives_database_restarts(sink: Sink) -> None:
    run = launched(MESSAGES)
    with running(worker(EMAIL_URL=sink.url, SENDING_LEASE_SECONDS="15")):
        for number in range(1, RESTARTS + 1):
            goal = number * MESSAGES // (RESTARTS + 1)
            wait_until(lambda goal=goal: len(sink.arrived) >= goal)
            restart()
        wait_until(lambda: is_finished(run), seconds=240)

    connection.close()
    assert_everyone_once(run, sink)
