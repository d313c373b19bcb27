"""Imports as jobs: queued, run by a worker with progress and a sign of life, taken up again when the worker dies.

Every move of the state is a conditional UPDATE, so that two workers never run one job. A job that is taken up again starts from the
beginning: what is in already is found unchanged.
"""

from __future__ import annotations

import logging
import tempfile
import time
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from django.core.files import File
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.ingest.fields import Refused
from customers.ingest.file_types import check_mapping
from customers.ingest.files import AS_DETECTED, Reading, UnreadableFile, open_table, reading_of
from customers.ingest.load import Loaded, RejectedRows, load
from customers.models import ImportJob

logger = logging.getLogger(__name__)

State = ImportJob.State

REPORT_SECONDS = 0.5
DEAD_AFTER = timedelta(minutes=5)
LOST_AFTER = timedelta(seconds=30)


class TakenOver(Exception):
    """Another worker has the job now; this one stops."""


def queue(job: ImportJob, mapping: dict[str, str], reading: Reading = AS_DETECTED) -> None:
    """Let an uploaded or failed import start, mapped and read so. Raises Refused or UnreadableFile where it cannot work out."""
    with open_table(job.file.path, reading) as table:
        check_mapping(job.kind, mapping, table.header)
    ImportJob.objects.filter(pk=job.pk, state__in=[State.UPLOADED, State.FAILED]).update(
        state=State.QUEUED,
        mapping=mapping,
        reading=asdict(reading),
        error="",
        heartbeat_at=timezone.now(),
    )


def run(job_id: int) -> None:
    """Do a queued import to its end; does nothing where it is not queued any more."""
    started = timezone.now()
    won = ImportJob.objects.filter(pk=job_id, state=State.QUEUED).update(
        state=State.RUNNING,
        started_at=started,
        heartbeat_at=started,
        progress=0,
        stage="reading",
        error="",
    )
    if not won:
        return
    job = ImportJob.objects.get(pk=job_id)
    mine = ImportJob.objects.filter(pk=job_id, state=State.RUNNING, started_at=started)
    try:
        with tempfile.TemporaryDirectory() as folder:
            with RejectedRows(Path(folder) / "rejected.csv") as rejected:
                loaded = load(
                    job.kind,
                    job.file.path,
                    job.mapping,
                    rejected=rejected,
                    evidence=_("import: %s") % job.name,
                    reading=reading_of(job.reading),
                    create_missing=job.create_missing,
                    progress=_Reporter(mine),
                )
            _keep_rejected(job, rejected)
        _finish(mine, loaded)
    except TakenOver:
        logger.warning("Import %s was taken over by another worker.", job_id)
    except (UnreadableFile, Refused) as error:
        _fail(mine, str(error))
    except Exception:
        logger.exception("Import %s failed.", job_id)
        _fail(
            mine,
            _(
                "Something went wrong on our side; it is in the log. The import can be started again."
            ),
        )


def unattended(now: datetime | None = None) -> list[int]:
    """Imports that somebody must run: queued and not begun, or begun by a worker that gives no sign of life any more."""
    now = now or timezone.now()
    ImportJob.objects.filter(state=State.RUNNING, heartbeat_at__lt=now - DEAD_AFTER).update(
        state=State.QUEUED, heartbeat_at=now - LOST_AFTER
    )
    waiting = ImportJob.objects.filter(state=State.QUEUED, heartbeat_at__lte=now - LOST_AFTER)
    return list(waiting.values_list("pk", flat=True))


class _Reporter:
    """Writes progress at most twice a second, with the sign of life. Raises TakenOver."""

    def __init__(self, mine: QuerySet[ImportJob]) -> None:
        self.mine = mine
        self.written = 0.0

    def __call__(self, stage: str, done: float) -> None:
        if time.monotonic() - self.written < REPORT_SECONDS:
            return
        self.written = time.monotonic()
        if not self.mine.update(stage=stage, progress=done, heartbeat_at=timezone.now()):
            raise TakenOver


def _keep_rejected(job: ImportJob, rejected: RejectedRows) -> None:
    if job.rejected_file:
        job.rejected_file.delete(save=False)
    if rejected.count:
        with rejected.path.open("rb") as source:
            job.rejected_file.save(f"imports/rejected-{job.pk}.csv", File(source), save=False)
    ImportJob.objects.filter(pk=job.pk).update(rejected_file=job.rejected_file.name or None)


def _finish(mine: QuerySet[ImportJob], loaded: Loaded) -> None:
    mine.update(
        state=State.FINISHED,
        stage="",
        progress=1,
        finished_at=timezone.now(),
        rows=loaded.rows,
        created=loaded.created,
        updated=loaded.updated,
        unchanged=loaded.unchanged,
        rejected=loaded.rejected,
    )


def _fail(mine: QuerySet[ImportJob], error: str) -> None:
    mine.update(state=State.FAILED, stage="", error=error, finished_at=timezone.now())
