"""Everything that customers puts into registries below it. AppConfig.ready() calls register() once."""

from __future__ import annotations

from crm import jobs
from customers import ingest
from customers.bulk import export
from customers.bulk import jobs as bulk_jobs
from customers.models import BulkJob, ImportJob
from customers.privacy import tables  # noqa: F401  registers the personal data of these tables
from customers.segments import members


def register() -> None:
    ingest.register_file_types(*ingest.FILE_TYPES)
    jobs.register(ImportJob, ingest.import_file, refusals=(ingest.UnreadableFile, ingest.Refused))
    jobs.register(
        BulkJob,
        bulk_jobs.work,
        refusals=(bulk_jobs.NotPossible, members.NotStatic, export.TooLong),
    )
