"""Imports as jobs, in turns. Files of orders are one turn: one that was left half done starts again, and finds written orders unchanged."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from crm import jobs
from customers.ingest.beginnings import beginning, forget_beginning
from customers.ingest.column_formats import ColumnFormat
from customers.ingest.consent_columns import (
    UNANSWERED,
    ConsentAnswers,
    ConsentQuestion,
    refuse_opt_ins,
)
from customers.ingest.file_types import FileType, file_type
from customers.ingest.files import (
    AS_DETECTED,
    Reading,
    UnreadableFile,
    reading_of,
    sample,
)
from customers.ingest.load import Begun, Loaded, RejectedRows, load_file
from customers.models import ImportJob

State = ImportJob.State
PREVIEWED_ROWS = 20_000
"""Written and rolled back within seconds: until then other changes of the same customers wait."""
LEAST_BATCHES = 8
"""A turn takes at least as long as so many of its first batch, before which it reads to its place in the file."""


def queue_import(
    job: ImportJob,
    mapping: Mapping[str, str],
    reading: Reading = AS_DETECTED,
    consent: ConsentAnswers = UNANSWERED,
    *,
    preview: bool = False,
) -> None:
    """Queue an uploaded or failed import, or a preview of what it would do.

    Raises Refused for a wrong mapping or dates of unclear order, ConsentQuestion for an unclear consent, UnreadableFile for a wrong
    reading, and SlowFile until a worker has read the beginning of the file.
    """
    file_type(job.kind).check_beginning(beginning(job, reading), mapping, consent)
    _queue(job, mapping, reading, consent, preview=preview)


def queue_unread_import(
    job: ImportJob,
    chosen: Mapping[str, str],
    reading: Reading,
    consent: ConsentAnswers,
    *,
    may_opt_in: bool,
) -> None:
    """Queue an import of a slow file for which a worker guesses the fields of all columns but the chosen ones, and checks them."""
    _queue(job, chosen, reading, consent, unread={"may_opt_in": may_opt_in})


def _queue(
    job: ImportJob,
    mapping: Mapping[str, str],
    reading: Reading,
    consent: ConsentAnswers,
    *,
    preview: bool = False,
    unread: dict[str, bool] | None = None,
) -> None:
    ImportJob.objects.filter(pk=job.pk, state__in=[State.UPLOADED, State.FAILED]).update(
        state=State.QUEUED,
        mapping=mapping,
        reading=asdict(reading),
        consent=consent.as_json(),
        wants_preview=preview,
        unread=unread,
        started_at=None,
        begun=None,
        **asdict(Loaded()),
        done=0,
        error="",
    )
    jobs.start(job)


def import_file(job: ImportJob, turn: jobs.Turn) -> bool:
    """Load rows of a job's file for one turn; returns whether rows are left. Files of orders are loaded in one turn.

    The results are saved with each batch, so that the next turn resumes there, also after a dead worker. A question about consent is stored
    for the next attempt.
    """
    answers = ConsentAnswers.of(job.consent)
    evidence = "; ".join(
        filter(None, (_("import: %s") % job.name, answers.evidence_by(str(job.created_by))))
    )
    if job.wants_preview:
        _preview(job, turn, answers, evidence)
        return False
    run = _Run(job, turn)
    try:
        if job.unread:
            _complete_mapping(job, turn, answers)
        with run.rejected:
            loaded = load_file(
                file_type(job.kind),
                job.file.path,
                job.mapping,
                rejected=run.rejected,
                evidence=evidence,
                reading=reading_of(job.reading),
                create_missing=job.create_missing,
                store=job.store,
                progress=run.show,
                consent=answers,
                begun=run.begun,
                save=run.save,
            )
    except _TurnOver:
        return True
    except ConsentQuestion as question:
        asked = {"columns": question.columns, "cells": question.cells}
        ImportJob.objects.filter(pk=job.pk).update(consent={**job.consent, "asked": asked})
        raise
    if run.is_outdated:
        turn.save(begun=None)
        return True
    turn.save(stage="", begun=None, **run.results(loaded))
    forget_beginning(job)
    return False


def preview_file(
    kind: FileType, path: str | Path, mapping: Mapping[str, str], **options: Any
) -> Loaded:
    """Count what the first PREVIEWED_ROWS rows would do: they are loaded in a transaction that is rolled back.

    The options are those of load_file().
    """
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        with RejectedRows(Path(folder) / "rejected.csv") as rejected:
            loaded = load_file(
                kind, path, mapping, rejected=rejected, most_rows=PREVIEWED_ROWS, **options
            )
        transaction.set_rollback(True)
    return loaded


def _preview(job: ImportJob, turn: jobs.Turn, answers: ConsentAnswers, evidence: str) -> None:
    """Preview the file of a job. It has no progress, which could be seen only after its end."""
    turn.save(stage="previewing")
    loaded = preview_file(
        file_type(job.kind),
        job.file.path,
        job.mapping,
        evidence=evidence,
        reading=reading_of(job.reading),
        create_missing=job.create_missing,
        store=job.store,
        consent=answers,
    )
    turn.end(State.UPLOADED, stage="", wants_preview=False, done=0, **asdict(loaded))


def _complete_mapping(job: ImportJob, turn: jobs.Turn, answers: ConsentAnswers) -> None:
    kind = file_type(job.kind)
    seen = sample(job.file.path, reading_of(job.reading))
    job.mapping = kind.guess_mapping(seen.header, seen.rows) | job.mapping
    if not (job.unread or {}).get("may_opt_in"):
        refuse_opt_ins(job.mapping)
    kind.check_beginning(seen, job.mapping, answers)
    turn.save(mapping=job.mapping, unread=None)


class _TurnOver(Exception):
    """The turn is over, and all results are saved."""


class _Run:
    """One turn of an import, which begins a file or resumes after the rows before.

    A file that an erasure has changed begins again: its rows have moved.
    """

    def __init__(self, job: ImportJob, turn: jobs.Turn) -> None:
        self._job, self._turn = job, turn
        self._since = self._started = time.monotonic()
        self._first_batch = 0.0
        self._file_size = _size_of(job)
        stored = job.begun if job.begun and job.begun["file_size"] == self._file_size else {}
        self._seconds: float = stored.get("seconds", 0.0)
        self.begun: Begun | None = None
        if stored:
            formats = [ColumnFormat(*each) for each in stored["formats"]]
            loaded = Loaded(**{each.name: getattr(job, each.name) for each in fields(Loaded)})
            self.begun = Begun(reading_of(stored["reading"]), formats, loaded)
        elif job.rejected_file:
            job.rejected_file.delete(save=False)
        self._name = f"imports/rejected-{job.pk}.csv"
        path = Path(job.rejected_file.storage.path(self._name))
        self.rejected = RejectedRows(path, stored.get("rejected_size", 0))

    @property
    def is_outdated(self) -> bool:
        """Return whether an erasure has changed the file meanwhile."""
        path = Path(self._job.file.path)
        return path.exists() and path.stat().st_size != self._file_size

    def save(self, begun: Begun) -> None:
        """Save the results of the loaded rows."""
        self.begun = begun
        results = self.results(begun.loaded)
        stored = {
            "reading": asdict(begun.reading),
            "formats": list(begun.formats),
            "file_size": self._file_size,
            "rejected_size": self.rejected.flush(),
            "seconds": self._seconds,
        }
        self._turn.save(begun=stored, **results)

    def results(self, loaded: Loaded) -> dict[str, Any]:
        """Return the columns of the job with the results."""
        return {
            **asdict(loaded),
            "rejected_file": None if self.rejected.is_empty else self._name,
        }

    def show(self, stage: str, share: float) -> None:
        """Show the progress and rest. Raises _TurnOver where all is saved, and UnreadableFile after IMPORT_MAX_MINUTES of work."""
        now = time.monotonic()
        self._seconds += now - self._since
        if self._seconds > settings.IMPORT_MAX_MINUTES * 60:
            raise UnreadableFile(
                _(
                    "The import takes longer than %d minutes. Split the file; rows that are written stay."
                )
                % settings.IMPORT_MAX_MINUTES
            )
        self._turn.show(stage=stage, done=round(100 * share))
        self._first_batch = self._first_batch or now - self._started
        is_over = self._turn.is_over()
        self._since = time.monotonic()
        if is_over and self.begun and now - self._started >= LEAST_BATCHES * self._first_batch:
            raise _TurnOver


def _size_of(job: ImportJob) -> int:
    """Return the size of the file of a job in bytes. Raises UnreadableFile if an erasure has deleted it."""
    try:
        return job.file.size
    except FileNotFoundError:
        raise UnreadableFile(_("The file no longer exists. Upload it again.")) from None
