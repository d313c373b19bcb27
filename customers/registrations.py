"""Everything that customers puts into registries below it. AppConfig.ready() calls register() once."""

from __future__ import annotations

from crm import jobs
from customers import bulk, ingest, privacy
from customers.models import BulkJob, ErasureReceipt, ImportJob
from customers.segments import members


def register() -> None:
    privacy.register_tables(*privacy.TABLES)
    ingest.register_file_types(*ingest.FILE_TYPES)
    jobs.register(ImportJob, ingest.import_file, refusals=(ingest.UnreadableFile, ingest.Refused))
    jobs.register(
        BulkJob,
        bulk.work,
        refusals=(bulk.NotPossible, members.NotStatic, bulk.TooLong),
    )
    jobs.register(ErasureReceipt, privacy.finish, is_retried=True)
