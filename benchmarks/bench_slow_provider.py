"""Workers against a provider with a latency of 50 ms: throughput against the ideal, and with twice the workers."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from datetime import timedelta

from benchmarks import Result, Scale, newsletter, smtp_sink, worker
from benchmarks.serving import database_url
from marketing.models import CampaignRun

LATENCY = 0.05
CONNECTIONS = 8
SECONDS = {Scale.SMALL: 5.0, Scale.FULL: 15.0}
IDEAL = CONNECTIONS / LATENCY
"""Messages a second of one worker."""


def run(scale: Scale) -> Iterator[Result]:
    messages = int(3 * IDEAL * SECONDS[scale])
    newsletter.make_people(messages)
    with smtp_sink.running(LATENCY) as port:
        one = rate_of(1, port, SECONDS[scale])
        two = rate_of(2, port, SECONDS[scale])
    yield Result("sending to a provider of 50 ms", one, IDEAL, 0.8)
    yield Result("sending to a provider of 50 ms, two workers", two, 2 * IDEAL, 0.8)
    yield Result("twice the workers at a provider of 50 ms", two, one, 1.8)
    newsletter.empty()


def rate_of(workers: int, port: int, duration: float) -> float:
    """Return messages a second of that many workers, once all are running."""
    campaign = newsletter.make_campaign(f"{workers} workers", port, connections=CONNECTIONS)
    run = newsletter.launched(campaign)
    spawn = multiprocessing.get_context("spawn")
    os.environ |= {"DATABASE_URL": database_url(), "EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    processes = [
        spawn.Process(target=worker.work, args=(run.pk, duration)) for _n in range(workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return _rate(run, duration)


def _rate(run: CampaignRun, duration: float) -> float:
    """Return the rate in the middle of the run, when all workers are running."""
    sent = run.executions.filter(sent_at__isnull=False).order_by("sent_at")
    middle = sent.values_list("sent_at", flat=True)[sent.count() // 2]
    half = timedelta(seconds=duration / 4)
    assert middle
    number = sent.filter(sent_at__gte=middle - half, sent_at__lt=middle + half).count()
    return number / (2 * half.total_seconds())
