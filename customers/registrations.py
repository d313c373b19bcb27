"""Everything that customers puts into registries below it. AppConfig.ready() calls register() once."""

from __future__ import annotations

from crm import jobs
from customers.bulk import export
from customers.bulk import jobs as bulk_jobs
from customers.ingest import jobs as import_jobs
from customers.ingest import sources  # noqa: F401  registers the file types
from customers.ingest.fields import Refused
from customers.ingest.files import UnreadableFile
from customers.models import BulkJob, ImportJob
from customers.privacy import tables  # noqa: F401  registers the personal data of these tables
from customers.segments import members


def register() -> None:
    jobs.register(ImportJob, import_jobs.work, refusals=(UnreadableFile, Refused))
    jobs.register(
        BulkJob,
        bulk_jobs.work,
        refusals=(bulk_jobs.NotPossible, members.NotStatic, export.TooLong),
    )
