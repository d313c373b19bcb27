"""The memory of a worker that sends to 1,000,000 recipients, against 10,000."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator

from benchmarks import Result, Scale, newsletter, smtp_sink, worker
from benchmarks.serving import database_url

FEW = 10_000
MANY = {Scale.SMALL: 100_000, Scale.FULL: 1_000_000}
TURNS = 10
"""Turns of each batch: memory does not depend on their number."""


def run(scale: Scale) -> Iterator[Result]:
    with smtp_sink.running() as port:
        few, many = (megabytes_at(people, port) for people in (FEW, MANY[scale]))
    # a rate is better when it is more, so it is messages for a megabyte that are compared
    yield Result("memory of a worker", 1_000 / many, 1_000 / few, 1 / 1.3)


def megabytes_at(people: int, port: int) -> float:
    """Return the peak memory of a worker that snapshots the audience and sends."""
    newsletter.make_people(people)
    campaign = newsletter.make_campaign(f"{people} people", port)
    os.environ |= {"DATABASE_URL": database_url(), "EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    spawn = multiprocessing.get_context("spawn")
    told, tell = spawn.Pipe(duplex=False)
    process = spawn.Process(target=worker.tell_memory, args=(campaign.pk, TURNS, tell))
    process.start()
    peak: float = told.recv()
    process.join()
    newsletter.empty()
    return peak
