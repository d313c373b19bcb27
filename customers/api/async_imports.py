"""`?mode=async`: write sent rows to a file for an import job, and answer 202 with the job."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from crm.accounts.current_user import user_of
from customers.api.given import as_validation_error
from customers.api.serializers import BatchResultSerializer, ImportSerializer
from customers.ingest import Refused, UnreadableFile, file_type, queue_import, sample
from customers.models import ImportJob

MODE = OpenApiParameter(
    "mode",
    str,
    enum=["async"],
    description="async: answers 202 with a job, whose progress is at /api/imports/.",
)
BATCH_ANSWERS = {
    200: BatchResultSerializer,
    202: ImportSerializer,
    207: BatchResultSerializer,
}


def is_wanted(request: Request) -> bool:
    return request.query_params.get("mode") == "async"


def queue(
    request: Request, kind: str, rows: Iterable[dict[str, Any]], *, create_missing: bool = False
) -> Response:
    """Queue rows with the fields of a file type. Raises ValidationError where none of them can be imported."""
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    job = ImportJob(
        kind=kind,
        name=f"api-{kind}.jsonl",
        created_by=user_of(request),
        create_missing=create_missing,
    )
    job.file.save(job.name, ContentFile(text.encode()), save=False)
    try:
        mapping = file_type(kind).guess_mapping(sample(job.file.path).header)
        with transaction.atomic():
            job.save()
            queue_import(job, mapping)
    except (UnreadableFile, Refused) as error:
        job.file.delete(save=False)
        raise as_validation_error(Refused(str(error))) from None
    job.refresh_from_db()
    return Response(ImportSerializer(job).data, status=202)
