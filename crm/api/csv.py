"""Lists as CSV: streamed, and with formulas disarmed, because such files are opened in spreadsheets."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, cast

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

CHUNK = 2_000

_FORMULA = re.compile(r"[=+\-@\t\r]")
_PLAIN_NUMBER = re.compile(r"[+-]?[\d .,()/-]*\d[\d .,()/-]*")

FORMAT = OpenApiParameter(
    "format", str, enum=["json", "csv"], description="csv streams the whole list, without pages."
)


def escape(cell: object) -> str:
    """The text of a cell; what a spreadsheet would run as a formula gets a ' in front. Numbers and phones stay as they are."""
    if isinstance(cell, dict | list):
        cell = json.dumps(cell, ensure_ascii=False)
    text = "" if cell is None else str(cell)
    if _FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def is_wanted(request: Request) -> bool:
    return request.query_params.get("format") == "csv"


def streamed(name: str, rows: Iterable[str]) -> StreamingHttpResponse:
    """Lines of CSV as a file to keep, `name.csv`."""
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


class _Echo:
    def write(self, text: str) -> str:
        return text


def lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A header and rows as lines of CSV. The first row is read at once: what cannot be answered is known before the answer begins."""
    rows = iter(rows)
    return _written(header, chain(list(islice(rows, 1)), rows))


def _written(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(cast(Any, _Echo()))
    yield writer.writerow([escape(name) for name in header])
    for row in rows:
        yield writer.writerow([escape(cell) for cell in row])


class CsvAnswers(APIView):
    """Mixin for views with a list (put it first): `?format=csv` is theirs to answer, not a renderer's."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        if getattr(self, "action", "list") == "list" and is_wanted(request):
            return self.get_renderers()[0], "application/json"
        return super().perform_content_negotiation(request, force)


class CsvList(CsvAnswers, GenericViewSet[Any]):
    """Mixin for viewsets with a list (put it first): `?format=csv` streams all of it, filtered and ordered as asked."""

    csv_chunk = CHUNK

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        if not is_wanted(request):
            return super().list(request, *args, **kwargs)  # type: ignore[misc]
        rows = self.filter_queryset(self.get_queryset())
        return streamed(f"{self.basename}s", self._csv(rows))

    def _csv(self, rows: QuerySet[Any]) -> Iterator[str]:
        serializer = cast("Serializer[Any]", self.get_serializer())
        header = list(serializer.fields)
        return lines(
            header,
            (
                [shown.get(name) for name in header]
                for row in rows.iterator(chunk_size=self.csv_chunk)
                for shown in [serializer.to_representation(row)]
            ),
        )
