"""The rows of a file as values: a batch column by column where every cell fits, which is much faster, else row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from customers.ingest.fields import Field, Refused, clean_columns, clean_fields
from customers.ingest.files import Table

Row = dict[str, Any]
Numbered = tuple[int, Sequence[Any]]
"""The line of a row in its file, and its cells."""


class Read(NamedTuple):
    """A row of a file: where it stands, its cells, and the values that are meant or why they cannot be taken."""

    line: int
    cells: Sequence[Any]
    row: Row | ValueError


class Rows:
    """The rows of a table, some at a time; `mapping` says which of its columns is which of the fields."""

    def __init__(
        self, table: Table, mapping: Mapping[str, str], fields: Mapping[str, Field]
    ) -> None:
        self.table, self.fields = table, fields
        self.names = [mapping.get(column, "") for column in table.header]
        self.day_first = [
            name
            for name in self.names
            if table.reading.dates == "day_first" and name in fields and fields[name].is_date
        ]

    def batches(self, size: int) -> Iterator[Sequence[Numbered]]:
        rows = iter(self.table)
        while some := list(islice(rows, size)):
            yield some

    def clean(self, some: Sequence[Numbered]) -> list[Read]:
        try:
            rows = clean_columns(self.columns(some), self.fields)
        except ValueError:  # which it is, and why, is found row by row
            return [Read(line, cells, self._row(cells)) for line, cells in some]
        return [Read(line, cells, row) for (line, cells), row in zip(some, rows, strict=True)]

    def columns(self, some: Sequence[Numbered]) -> dict[str, Sequence[str]]:
        """The cells of each field. Raises ValueError where they are not all text, or a row has too many."""
        if self.table.format != "csv":
            raise ValueError(self.table.format)
        by_place = zip(*(cells for _line, cells in some), strict=True)
        columns: dict[str, Sequence[str]] = dict(zip(self.names, by_place, strict=True))
        columns.pop("", None)
        for name in self.day_first:
            columns[name] = [_with_dots(cell) for cell in columns[name]]
        return columns

    def _row(self, cells: Sequence[Any]) -> Row | ValueError:
        width = len(self.names)
        if len(cells) > width and any(cells[width:]):
            return Refused(
                _("The row has %(cells)d cells where the header has %(columns)d.")
                % {"cells": len(cells), "columns": width}
            )
        given = dict(zip(self.names, cells, strict=False))
        given.pop("", None)
        for name in self.day_first:
            given[name] = _with_dots(given[name])
        try:
            return clean_fields(given, self.fields)
        except ValueError as error:
            return error


def _with_dots(cell: Any) -> Any:
    """A date whose slashes part days from months: with dots instead, it is read so."""
    return cell.replace("/", ".") if isinstance(cell, str) else cell
