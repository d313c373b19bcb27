"""Imports over the API: upload a file, follow the job, download rejected rows."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.http import FileResponse, Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from crm.accounts.current_user import user_of
from crm.accounts.middleware import SEE_PERSONAL_DATA
from crm.accounts.models import Scope
from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.lists import Lists
from crm.api.problems import Conflict
from customers.api import rows
from customers.api.serializers import ImportInputSerializer, ImportSerializer
from customers.ingest import (
    ConsentAnswers,
    ConsentQuestion,
    Reading,
    Refused,
    SlowFile,
    UnreadableFile,
    beginning,
    file_type,
    queue_import,
    queue_unread_import,
    reading_of,
)
from customers.models import ImportJob

ID = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH)


@extend_schema_view(retrieve=extend_schema(parameters=[ID]))
class ImportViewSet(Endpoint, Lists, RetrieveModelMixin, GenericViewSet[ImportJob]):
    """Imports of files: customers, products, or orders, with an order line in each row."""

    rights = rights.of_model(
        "customers.importjob",
        create=rights.ingest("customers.add_importjob", SEE_PERSONAL_DATA),
        rejected=("customers.view_importjob", SEE_PERSONAL_DATA),
        start=rights.ingest("customers.add_importjob", SEE_PERSONAL_DATA),
    )
    queryset = ImportJob.objects.order_by("-id")
    serializer_class = ImportSerializer
    parser_classes = (MultiPartParser, FormParser)
    filterset_fields = ("kind", "state")
    ordering_fields = ("id", "rows")
    lookup_url_kwarg = "id"
    lookup_value_regex = ids.IN_PATH

    def get_object(self) -> ImportJob:
        return get_object_or_404(self.get_queryset(), pk=ids.decode("imp", str(self.kwargs["id"])))

    @extend_schema(
        request={"multipart/form-data": ImportInputSerializer}, responses={202: ImportSerializer}
    )
    def create(self, request: Request) -> Response:
        """Upload a file; a worker imports it.

        A worker checks the columns of a very large file, too, and states in `error` what is wrong.
        """
        form = ImportInputSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        try:
            reading = reading_of(sent)
        except ValueError as error:
            raise ValidationError([str(error)]) from None
        job = ImportJob(
            kind=sent["kind"],
            create_missing=sent["create_missing"],
            store=sent["store"],
            created_by=user_of(request),
        )
        job.name = sent["file"].name[:255]
        job.file = sent["file"]
        job.save()
        try:
            chosen = sent.get("mapping", {})
            answers = ConsentAnswers.of(
                {
                    "values": sent.get("consent_values"),
                    "columns": chosen,
                    "ignore_columns": sent["ignore_consent"],
                    "evidence": sent.get("consent_evidence"),
                    "given_at": sent.get("consent_given_at"),
                }
            )
            _queue(request, job, chosen, reading, answers, preview=sent["preview"])
        except (UnreadableFile, Refused) as error:
            job.file.delete(save=False)
            job.delete()
            raise ValidationError(_errors(error)) from None
        job.refresh_from_db()
        return Response(ImportSerializer(job).data, status=202)

    @extend_schema(parameters=[ID], request=None, responses={202: ImportSerializer})
    @action(
        detail=True,
        methods=["post"],
        parser_classes=[JSONParser, *parser_classes],
        filterset_fields=None,
        filter_backends=[],
    )
    def start(self, request: Request, id: str) -> Response:
        """Start an import after its preview, as it was previewed. 409 for an import in any other state."""
        job = self.get_object()
        if not job.is_previewed:
            raise Conflict(_("Only an import that was previewed can be started."))
        rows.refuse_consent_columns(request, job.mapping)
        answers = ConsentAnswers.of(job.consent)
        try:
            queue_import(job, job.mapping, reading_of(job.reading), answers)
        except (UnreadableFile, Refused) as error:
            raise ValidationError(_errors(error)) from None
        job.refresh_from_db()
        return Response(ImportSerializer(job).data, status=202)

    @extend_schema(parameters=[ID], responses={(200, "text/csv"): OpenApiTypes.BINARY})
    @action(detail=True, filterset_fields=None, filter_backends=[])
    def rejected(self, request: Request, id: str) -> FileResponse:
        """Download the rejected rows, with line and reason."""
        job = self.get_object()
        if not job.rejected_file:
            raise Http404
        return FileResponse(
            job.rejected_file.open("rb"), as_attachment=True, filename="rejected.csv"
        )


def _queue(
    request: Request,
    job: ImportJob,
    chosen: Mapping[str, str],
    reading: Reading,
    answers: ConsentAnswers,
    *,
    preview: bool,
) -> None:
    """Check the columns and queue the import or its preview; of a slow file, a worker checks them. Raises UnreadableFile and Refused."""
    try:
        seen = beginning(job, reading)
    except SlowFile:
        if preview:
            raise Refused(_("The file is too large for a preview."), "file") from None
        may_opt_in = rights.has_scope(request, Scope.WRITE)
        queue_unread_import(job, chosen, reading, answers, may_opt_in=may_opt_in)
        return
    mapping = {**file_type(job.kind).guess_mapping(seen.header, seen.rows), **chosen}
    rows.refuse_consent_columns(request, mapping)
    with transaction.atomic():
        queue_import(job, mapping, reading, answers, preview=preview)


def _errors(error: ValueError) -> dict[str, list[str]]:
    """Return the errors of a refused import by the field that answers them."""
    if isinstance(error, ConsentQuestion):
        return {
            **{f"mapping.{column}": [error.about_column(column)] for column in error.columns},
            **{f"consent_values.{column}": [error.about_cells(column)] for column in error.cells},
        }
    field = error.field if isinstance(error, Refused) else ""
    return {
        field if field.startswith(("consent_", "dates", "mapping.")) else "file": [
            ValueError.__str__(error) if field else str(error)
        ]
    }
