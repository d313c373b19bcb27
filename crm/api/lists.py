"""Lists: pages of JSON, or all rows as a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.files import Files, Row

AT_ONCE = 2_000


class Lists(Files, GenericAPIView):
    """Mixin for views with a list, put it first. An action with a list sets `gives_rows=True` and returns `listed()`."""

    rows_at_once = AT_ONCE

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return self.listed(self.filter_queryset(self.get_queryset()))

    def listed(
        self,
        rows: Any,
        serializer_class: type[Any] | None = None,
        **context: Any,
    ) -> Any:
        """Return rows in the requested format, by the view's serializer or another, with more context."""
        shown_by: Any = serializer_class or self.get_serializer_class()
        context = {**self.get_serializer_context(), **context}
        if self.wants_file:
            return self.file(shown_by(context=context).fields, self._each(rows, shown_by, context))
        page = self.paginate_queryset(rows)
        shown = shown_by(
            self.worked_out(rows if page is None else page), many=True, context=context
        )
        return Response(shown.data) if page is None else self.get_paginated_response(shown.data)

    def worked_out(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Return what the serializer gets; a view may compute figures for many rows at once."""
        return rows

    def _each(self, rows: Any, shown_by: type[Any], context: dict[str, Any]) -> Iterator[Row]:
        one = shown_by(context=context)
        for some in _parts(rows, self.rows_at_once):
            for row in self.worked_out(some):
                yield one.to_representation(row)


def _parts(rows: Iterable[Any], size: int) -> Iterator[Sequence[Any]]:
    all_of_them = rows.iterator(chunk_size=size) if isinstance(rows, QuerySet) else iter(rows)
    while some := list(islice(all_of_them, size)):
        yield some
