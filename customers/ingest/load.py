"""Load a file of any type: read it, clean its rows, write them in batches, and report rejected rows with their reasons.

A batch is cleaned column by column where every cell fits, which is much faster, else row by row. While the database writes a batch, a
thread reads and cleans the next one.
"""

from __future__ import annotations

import csv
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from django.utils.translation import gettext as _

from crm.api.csv import escape
from customers.ingest import orders
from customers.ingest.fields import REJECTED_COLUMNS, Refused, clean_columns, clean_fields
from customers.ingest.files import AS_DETECTED, Reading, Table, open_table, sample
from customers.ingest.upsert import Outcome, Result

if TYPE_CHECKING:
    from customers.ingest.file_types import FileType

T = TypeVar("T")

BATCH = 5_000
LINES_BATCH = 10_000

Progress = Callable[[str, float], None]
"""Takes the stage (reading, assembling, writing) and the progress over all stages, 0 to 1."""
Row = dict[str, Any]
NumberedCells = tuple[int, Sequence[Any]]
"""The line of a row in its file, and its cells."""


@dataclass(slots=True)
class Loaded:
    """How many rows a file had, by outcome. Of order files `created`, `updated` and `unchanged` count orders, the others lines."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0


class RejectedRows:
    """Writes rejected rows to a CSV file, with their line and the reason. Without such a row there is no file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: Any = None

    def add(self, header: Sequence[str], cells: Sequence[Any], line: int, reason: str) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", newline="", encoding="utf-8")
            self._writer = csv.writer(self._file)
            self._writer.writerow([*map(escape, header), *REJECTED_COLUMNS])
        padded = [*cells, *[""] * (len(header) - len(cells))][: len(header)]
        self._writer.writerow(
            [*(escape(cell).replace("\x00", "") for cell in padded), line, reason]
        )
        self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()


@dataclass(frozen=True)
class Source:
    """An open file with its type, the mapping of its columns, and where progress and rejected rows go."""

    file_type: FileType
    table: Table
    mapping: Mapping[str, str]
    rejected: RejectedRows
    evidence: str
    create_missing: bool
    progress: Progress


Loader = Callable[[Source], Loaded]


def load_file(
    file_type: FileType,
    path: str | Path,
    mapping: Mapping[str, str],
    *,
    rejected: RejectedRows,
    evidence: str,
    reading: Reading = AS_DETECTED,
    create_missing: bool = False,
    progress: Progress = lambda stage, done: None,
) -> Loaded:
    """Load a file; loading it again changes nothing more.

    Raises files.UnreadableFile, and Refused for a mapping that does not fit. Batches written before an error stay.
    """
    reading = sample(path, reading=reading, whole=True).reading
    with _little_garbage(), open_table(path, reading) as table:
        file_type.check_mapping(mapping, table.header)
        source = Source(file_type, table, mapping, rejected, evidence, create_missing, progress)
        loaded = file_type.load(source)
    loaded.rejected = rejected.count
    return loaded


def by_batches(
    complete: Callable[[Row], Row], write: Callable[[list[Row], Source], list[Result]]
) -> Loader:
    """Return a loader for files whose rows are independent of each other.

    `complete` turns cleaned fields into a row to write, and raises Refused for a row that cannot be written.
    """

    def load_rows(source: Source) -> Loaded:
        loaded = Loaded()
        header = source.table.header
        for batch in prefetch(_batches(source, complete)):
            for line, cells, reason in batch.refused:
                source.rejected.add(header, cells, line, reason)
            for (line, cells), result in zip(batch.taken, write(batch.rows, source), strict=True):
                if result.outcome is Outcome.FAILED:
                    source.rejected.add(header, cells, line, result.reason)
                else:
                    setattr(loaded, result.outcome, getattr(loaded, result.outcome) + 1)
            loaded.rows += len(batch.rows) + len(batch.refused)
            source.progress("writing", source.table.progress)
        return loaded

    return load_rows


def load_orders(source: Source) -> Loaded:
    """Load order lines: all of them are staged before the first order is assembled."""
    loaded = Loaded()
    with orders.staging() as staging:
        for lines in prefetch(_lines(source)):
            staging.add(lines.taken, lines.refused)
            loaded.rows += len(lines.taken) + len(lines.refused)
            source.progress("reading", source.table.progress * 0.4)
        source.progress("assembling", 0.42)
        staging.assemble(create_missing=source.create_missing, evidence=source.evidence)
        source.progress("writing", 0.5)
        counts = staging.write(progress=lambda done: source.progress("writing", 0.5 + done / 2))
        loaded.created, loaded.updated, loaded.unchanged = (
            counts.created,
            counts.updated,
            counts.unchanged,
        )
        _reject_lines(source, staging.refused())
    return loaded


def prefetch(items: Iterator[T]) -> Iterator[T]:
    """Yield the same items, none of them None; a thread makes the next one meanwhile.

    Making an item must not use the database, because connections belong to threads. What making it raises is raised here.
    """
    language = copy_context()  # for translated reasons

    def make() -> T | None:
        return language.run(next, items, None)

    with ThreadPoolExecutor(max_workers=1) as maker:
        coming = maker.submit(make)
        while (item := coming.result()) is not None:
            coming = maker.submit(make)
            yield item


class CleanedRow(NamedTuple):
    """A row of a file: its line, its cells, and its values or the reason for rejecting it."""

    line: int
    cells: Sequence[Any]
    row: Row | ValueError

    def values(self) -> Row:
        if isinstance(self.row, ValueError):
            raise self.row
        return self.row


class _Cleaner:
    """Cleans the rows of a source by the fields that its columns are mapped to."""

    def __init__(self, source: Source) -> None:
        self.table, self.fields = source.table, source.file_type.fields
        self.names = [source.mapping.get(column, "") for column in self.table.header]
        self.day_first = [
            name
            for name in self.names
            if self.table.reading.dates == "day_first"
            and name in self.fields
            and self.fields[name].is_date
        ]

    def batches(self, size: int) -> Iterator[Sequence[NumberedCells]]:
        rows = iter(self.table)
        while batch := list(islice(rows, size)):
            yield batch

    def clean(self, batch: Sequence[NumberedCells]) -> list[CleanedRow]:
        try:
            rows = clean_columns(self.columns(batch), self.fields)
        except ValueError:  # row by row, to find the invalid ones and their reasons
            return [CleanedRow(line, cells, self._row(cells)) for line, cells in batch]
        return [
            CleanedRow(line, cells, row) for (line, cells), row in zip(batch, rows, strict=True)
        ]

    def columns(self, batch: Sequence[NumberedCells]) -> dict[str, Sequence[str]]:
        """Return the cells of each field. Raises ValueError where they are not all text, or a row has too many."""
        if self.table.format != "csv":
            raise ValueError(self.table.format)
        by_place = zip(*(cells for _line, cells in batch), strict=True)
        columns: dict[str, Sequence[str]] = dict(zip(self.names, by_place, strict=True))
        columns.pop("", None)
        for name in self.day_first:
            columns[name] = [_with_dots(cell) for cell in columns[name]]
        return columns

    def _row(self, cells: Sequence[Any]) -> Row | ValueError:
        width = len(self.names)
        if len(cells) > width and any(cells[width:]):
            return Refused(
                _("The row has %(cells)d cells, but the header has %(columns)d.")
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
    """Write 13/2/2025 as 13.2.2025, which is read with the day first."""
    return cell.replace("/", ".") if isinstance(cell, str) else cell


class _Batch(NamedTuple):
    """Rows to write with their lines and cells, and rejected rows with their reasons."""

    rows: list[Row]
    taken: list[NumberedCells]
    refused: list[tuple[int, Sequence[Any], str]]


def _batches(source: Source, complete: Callable[[Row], Row]) -> Iterator[_Batch]:
    cleaner = _Cleaner(source)
    for cells_of_rows in cleaner.batches(BATCH):
        batch = _Batch([], [], [])
        for cleaned in cleaner.clean(cells_of_rows):
            try:
                batch.rows.append(complete(cleaned.values()))
                batch.taken.append((cleaned.line, cleaned.cells))
            except ValueError as error:
                batch.refused.append((cleaned.line, cleaned.cells, str(error)))
        yield batch


class _Lines(NamedTuple):
    taken: Sequence[orders.Line | orders.WrittenLine]
    refused: Sequence[orders.RefusedLine]


def _lines(source: Source) -> Iterator[_Lines]:
    id_column = next(column for column, field in source.mapping.items() if field == "order_id")
    id_place = source.table.header.index(id_column)
    cleaner = _Cleaner(source)
    for batch in cleaner.batches(LINES_BATCH):
        yield _all_at_once(cleaner, batch) or _line_by_line(cleaner.clean(batch), id_place)


def _all_at_once(cleaner: _Cleaner, batch: Sequence[NumberedCells]) -> _Lines | None:
    """Return None where a line does not fit; _line_by_line() finds it and the reason."""
    try:
        numbers = [line for line, _cells in batch]
        return _Lines(orders.write_lines(numbers, cleaner.columns(batch)), [])
    except ValueError:
        return None


def _line_by_line(rows: Sequence[CleanedRow], id_place: int) -> _Lines:
    taken, refused = [], []
    for cleaned in rows:
        try:
            taken.append(orders.complete_line(cleaned.line, cleaned.values()))
        except ValueError as error:
            order_id = str(cleaned.cells[id_place])
            refused.append(orders.refused_line(cleaned.line, order_id, error))
    return _Lines(taken, refused)


def _reject_lines(source: Source, refused: Iterator[tuple[int, str]]) -> None:
    """Read the file again for the cells of refused lines, if there are any."""
    wanted = next(refused, None)
    if wanted is None:
        return
    with open_table(source.table.path, source.table.reading) as table:
        for line, cells in table:
            if line == wanted[0]:
                source.rejected.add(table.header, cells, line, wanted[1])
                wanted = next(refused, None)
                if wanted is None:
                    return


@contextmanager
def _little_garbage() -> Iterator[None]:
    """Exclude existing objects from garbage collection, which would walk them over and over while rows are made."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
