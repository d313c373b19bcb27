"""Imports as jobs. A job that was left half done starts again, and finds the rows that are already written unchanged."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.utils.translation import gettext as _

from crm import jobs
from customers.ingest.consent_columns import UNANSWERED, ConsentAnswers, ConsentQuestion
from customers.ingest.file_types import file_type
from customers.ingest.files import (
    AS_DETECTED,
    SAMPLED_ROWS,
    Reading,
    UnreadableFile,
    reading_of,
    sample,
)
from customers.ingest.load import Loaded, Progress, RejectedRows, load_file
from customers.models import ImportJob

State = ImportJob.State


def queue_import(
    job: ImportJob,
    mapping: Mapping[str, str],
    reading: Reading = AS_DETECTED,
    consent: ConsentAnswers = UNANSWERED,
) -> None:
    """Queue an uploaded or failed import.

    Raises Refused for a wrong mapping or dates of unclear order, ConsentQuestion for an unclear consent, and UnreadableFile for a wrong
    reading.
    """
    kind = file_type(job.kind)
    seen = sample(job.file.path, SAMPLED_ROWS, reading)
    kind.check_mapping(mapping, seen.header)
    if seen.is_whole:
        kind.check_dates(seen.header, mapping, seen.formats)
    kind.check_consent(job.file.path, reading, mapping, consent, most_rows=SAMPLED_ROWS)
    ImportJob.objects.filter(pk=job.pk, state__in=[State.UPLOADED, State.FAILED]).update(
        state=State.QUEUED,
        mapping=mapping,
        reading=asdict(reading),
        consent=consent.as_json(),
        started_at=None,
        done=0,
        error="",
    )
    jobs.start(job)


def import_file(job: ImportJob, turn: jobs.Turn) -> bool:
    """Load the file of a job and store its rejected rows, in one turn. A question about consent is stored for the next attempt."""
    answers = ConsentAnswers.of(job.consent)
    evidence = "; ".join(
        filter(None, (_("import: %s") % job.name, answers.evidence_by(str(job.created_by))))
    )
    try:
        loaded = _load(job, turn, answers, evidence)
    except ConsentQuestion as question:
        asked = {"columns": question.columns, "cells": question.cells}
        ImportJob.objects.filter(pk=job.pk).update(consent={**job.consent, "asked": asked})
        raise
    turn.save(stage="", rejected_file=job.rejected_file.name or None, **asdict(loaded))
    return False


def _load(job: ImportJob, turn: jobs.Turn, answers: ConsentAnswers, evidence: str) -> Loaded:
    with tempfile.TemporaryDirectory() as folder:
        with RejectedRows(Path(folder) / "rejected.csv") as rejected:
            loaded = load_file(
                file_type(job.kind),
                job.file.path,
                job.mapping,
                rejected=rejected,
                evidence=evidence,
                reading=reading_of(job.reading),
                create_missing=job.create_missing,
                store=job.store,
                progress=_show_in_time(turn),
                consent=answers,
            )
        _store(job, rejected)
    return loaded


def _show_in_time(turn: jobs.Turn) -> Progress:
    """Return a function that shows the progress, and raises UnreadableFile after IMPORT_MAX_MINUTES."""
    deadline = time.monotonic() + settings.IMPORT_MAX_MINUTES * 60

    def show(stage: str, share: float) -> None:
        if time.monotonic() > deadline:
            raise UnreadableFile(
                _(
                    "The import takes longer than %d minutes. Split the file; rows that are written stay."
                )
                % settings.IMPORT_MAX_MINUTES
            )
        turn.show(stage=stage, done=round(100 * share))

    return show


def _store(job: ImportJob, rejected: RejectedRows) -> None:
    if job.rejected_file:
        job.rejected_file.delete(save=False)
    if not rejected.is_empty:
        with rejected.path.open("rb") as source:
            job.rejected_file.save(f"imports/rejected-{job.pk}.csv", File(source), save=False)
