"""The beginning of an uploaded file, on which its columns are chosen: read by the request where that is quick, else once by a worker."""

from __future__ import annotations

from django.core.cache import cache

from crm.nudge import nudge
from customers.ingest.files import (
    AS_DETECTED,
    Reading,
    Sample,
    UnreadableFile,
    read_again,
    sample,
)
from customers.models import ImportJob

TASK = "customers.tasks.read_beginning"
CACHED_SECONDS = 3600
ASKED_SECONDS = 60
"""A worker that has not answered for so long is asked again."""


def beginning(job: ImportJob, reading: Reading = AS_DETECTED) -> Sample:
    """Return the beginning of the job's file. Raises UnreadableFile, and SlowFile until a worker has read it."""
    seen: Sample | str | None = cache.get(_key(job))
    if isinstance(seen, str):
        raise UnreadableFile(seen)
    return read_again(seen, reading) if seen else sample(job.file.path, reading, quick=True)


def ask_for_beginning(job: ImportJob) -> None:
    """Let a worker read the beginning of a slow file, unless one is at it."""
    if cache.add(f"{_key(job)}:asked", True, ASKED_SECONDS):
        nudge(TASK, job.pk, expires=ASKED_SECONDS)


def read_beginning(job: ImportJob) -> None:
    """Read the beginning of a slow file, or why it cannot be read, into the cache."""
    found: Sample | str
    try:
        found = sample(job.file.path)
    except UnreadableFile as error:
        found = str(error)
    cache.set(_key(job), found, CACHED_SECONDS)


def forget_beginning(job: ImportJob) -> None:
    cache.delete(_key(job))


def _key(job: ImportJob) -> str:
    return f"import-beginning:{job.pk}:{job.created_at.timestamp()}"
