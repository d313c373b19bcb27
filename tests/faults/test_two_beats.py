"""Two clocks that run at once start an occurrence once; and when none has run for a while, what was missed is made up for once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from time import sleep

import pytest
from django.utils import timezone

from customers.models import Customer
from marketing.campaigns import lifecycle
from marketing.models import CampaignExecution, CampaignRun
from tests.factories.marketing import make_campaign
from tests.faults.test_worker_killed import database_url, wait_until
from tests.smtp_sink import Sink, running

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
EVERY = timedelta(seconds=10)
PEOPLE = 3


@contextmanager
def celery(sink: Sink, *arguments: str) -> Iterator[None]:
    """A process of Celery on the test's database and broker, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "crm", *arguments, "--loglevel", "warning"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(), "EMAIL_URL": sink.url},
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def beat(sink: Sink, name: Path) -> Iterator[None]:
    with celery(sink, "beat", "--pidfile", str(name)):
        yield


def finished() -> int:
    return CampaignRun.objects.filter(state="finished").count()


def test_an_occurrence_starts_once_with_two_clocks_and_once_after_none(tmp_path: Path) -> None:
    Customer.objects.bulk_create(
        Customer(email=f"p{number}@example.com") for number in range(PEOPLE)
    )
    start = timezone.now() + timedelta(seconds=8)
    campaign = make_campaign(type="recurring", frequency="secondly", interval=10)
    lifecycle.schedule_campaign(campaign, at=start, by=None)
    worker = ("worker", "--concurrency", "1", "--without-gossip", "--without-mingle")

    with running(Sink()) as sink, celery(sink, *worker):
        with ExitStack() as clocks:
            for name in ("one", "two"):
                clocks.enter_context(beat(sink, tmp_path / name))
            wait_until(lambda: finished() >= 3)
        runs_of_two_clocks = finished()
        sleep(25)
        assert finished() <= runs_of_two_clocks + 1  # what was called before the clocks stopped
        with beat(sink, tmp_path / "three"):
            wait_until(lambda: CampaignRun.objects.filter(missed__gt=0, state="finished").exists())
        wait_until(lambda: not CampaignRun.objects.exclude(state="finished").exists())

    runs = list(CampaignRun.objects.order_by("due_at"))
    due = [run.due_at for run in runs]
    assert len(set(due)) == len(due)
    assert all(at and (at - start) % EVERY == timedelta() for at in due)
    (after_the_gap,) = [run for run in runs if run.missed]
    assert after_the_gap.missed >= 1
    sent = CampaignExecution.objects.filter(state="sent").values_list("address", flat=True)
    assert sink.recipients == Counter(sent)
    assert len(sent) >= PEOPLE * 4
