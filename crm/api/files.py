"""Rows as a file: `?format=csv` and `?format=jsonl`, or by the Accept header; streamed, without pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder

from crm.api import csv
from crm.api.parameters import KnownParameters
from crm.api.places import Places

Row = Mapping[str, object]
EXPORTS = Places(most=6, most_a_user=5)
RETRY_SECONDS = 10


class FileRenderer(BaseRenderer):
    """Stands for a kind of file in content negotiation; the view streams it itself."""


class CsvRenderer(FileRenderer):
    media_type = "text/csv"
    format = "csv"


class JsonLinesRenderer(FileRenderer):
    media_type = "application/jsonl"
    format = "jsonl"


class Files(KnownParameters):
    """Mixin for views that answer with rows (put it first): asks `wants_file`, and answers with `file()`."""

    gives_rows = False
    """Said by actions of viewsets beside `list`, which always does."""

    def get_renderers(self) -> list[Any]:
        kinds = [CsvRenderer(), JsonLinesRenderer()] if self._answers_with_rows() else []
        return [*super().get_renderers(), *kinds]

    @property
    def wants_file(self) -> bool:
        return isinstance(self.request.accepted_renderer, FileRenderer)

    def file(self, header: Iterable[str], rows: Iterable[Row]) -> StreamingHttpResponse:
        """Return the columns `header` of the rows as a file, named by the last part of the path. Raises Throttled."""
        user = self.request.user.pk
        if EXPORTS.are_taken(user):
            raise Throttled(RETRY_SECONDS, _("Too many exports at a time."))
        kind = self.request.accepted_renderer
        columns, rows = list(header), iter(rows)
        rows = chain(list(islice(rows, 1)), rows)  # what cannot be answered shows here
        if isinstance(kind, CsvRenderer):
            text = csv.lines(columns, ([row.get(name) for name in columns] for row in rows))
        else:
            text = _json_lines(columns, rows)
        response = StreamingHttpResponse(
            EXPORTS.hold(text, user), content_type=f"{kind.media_type}; charset=utf-8"
        )
        name = f"{self.request.path.strip('/').rpartition('/')[2]}.{kind.format}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def _answers_with_rows(self) -> bool:
        looking = self.request is None or self.request.method in SAFE_METHODS
        return looking and (self.gives_rows or getattr(self, "action", "list") == "list")


def _json_lines(columns: list[str], rows: Iterable[Row]) -> Iterator[str]:
    encoder = JSONEncoder(ensure_ascii=False)
    for row in rows:
        yield encoder.encode({name: row.get(name) for name in columns}) + "\n"
