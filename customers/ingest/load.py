"""A file into the database, whatever its kind: read, clean, write in batches, and hand back what was rejected and why."""

from __future__ import annotations

import csv
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from django.utils.translation import gettext as _

from crm.api.csv import escape
from customers.ingest import kinds, orders
from customers.ingest.ahead import ahead
from customers.ingest.fields import REJECTED_COLUMNS, Refused
from customers.ingest.files import AS_DETECTED, Reading, Table, open_table, sample
from customers.ingest.kinds import check_mapping
from customers.ingest.upsert import Outcome, Result

BATCH = 5_000
LINES_BATCH = 10_000

Progress = Callable[[str, float], None]
"""Called with the stage (reading, assembling, writing) and the progress over all of them, 0 to 1."""


@dataclass(slots=True)
class Loaded:
    """What became of the rows of a file; of orders, `created`, `updated` and `unchanged` count orders, the others lines."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0


class RejectedRows:
    """Writes the rows that were not taken, as they were, with their line and the reason. No such row, no file."""

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
    """An open file with the mapping of its columns, and where to tell of progress and of rows that are not taken."""

    kind: str
    table: Table
    mapping: Mapping[str, str]
    rejected: RejectedRows
    evidence: str
    create_missing: bool
    progress: Progress


Loader = Callable[[Source], Loaded]
Row = dict[str, Any]


def load(
    kind: str,
    path: str | Path,
    mapping: Mapping[str, str],
    *,
    rejected: RejectedRows,
    evidence: str,
    reading: Reading = AS_DETECTED,
    create_missing: bool = False,
    progress: Progress = lambda stage, done: None,
) -> Loaded:
    """Bring a file in; doing it again changes nothing more. Raises files.UnreadableFile, and Refused for a mapping that does not fit.

    What was written before an error stays; the whole can be repeated.
    """
    reading = sample(path, reading=reading).reading
    with _little_garbage(), open_table(path, reading) as table:
        check_mapping(kind, mapping, table.header)
        source = Source(kind, table, mapping, rejected, evidence, create_missing, progress)
        loaded = kinds.get(kind).load(source)
    loaded.rejected = rejected.count
    return loaded


@contextmanager
def _little_garbage() -> Iterator[None]:
    """Leave what there is already out of the collections of garbage, which walk it over and over while rows are made."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def by_batches(
    clean: Callable[[Mapping[str, object]], Row], write: Callable[[list[Row], Source], list[Result]]
) -> Loader:
    """A loader for kinds whose rows stand for themselves: cleaned one by one, written some thousands at a time."""

    def load_rows(source: Source) -> Loaded:
        loaded = Loaded()
        header = source.table.header
        for batch in ahead(_cleaned(source, clean)):
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


class _Batch(NamedTuple):
    """Cleaned rows with the lines and cells that they were, and those that cannot be taken, with the reason."""

    rows: list[Row]
    taken: list[tuple[int, Sequence[Any]]]
    refused: list[tuple[int, Sequence[Any], str]]


def _cleaned(source: Source, clean: Callable[[Mapping[str, object]], Row]) -> Iterator[_Batch]:
    rows = iter(source.table)
    give = _giver(source)
    while read := list(islice(rows, BATCH)):
        batch = _Batch([], [], [])
        for line, cells in read:
            try:
                batch.rows.append(clean(give(cells)))
                batch.taken.append((line, cells))
            except ValueError as error:
                batch.refused.append((line, cells, str(error)))
        yield batch


def load_orders(source: Source) -> Loaded:
    """The loader of order lines: all of them are staged before the first order is put together."""
    loaded = Loaded()
    with orders.staging() as staging:
        for lines in ahead(_cleaned_lines(source)):
            staging.add(lines)
            loaded.rows += len(lines)
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
        _pick_out(source, staging.refused())
    return loaded


def _cleaned_lines(source: Source) -> Iterator[list[orders.Line | orders.RefusedLine]]:
    rows, mapping = iter(source.table), source.mapping
    give = _giver(source)
    id_column = next(column for column, field in mapping.items() if field == "order_id")
    id_place = source.table.header.index(id_column)
    while read := list(islice(rows, LINES_BATCH)):
        lines: list[orders.Line | orders.RefusedLine] = []
        for line, cells in read:
            try:
                lines.append(orders.clean_line(line, give(cells)))
            except ValueError as error:
                lines.append(orders.refused_line(line, str(cells[id_place]), error))
        yield lines


def _pick_out(source: Source, refused: Iterator[tuple[int, str]]) -> None:
    """Read the file again for the rows at these lines, where there are any."""
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


def _giver(source: Source) -> Callable[[Sequence[Any]], dict[str, Any]]:
    """From the cells of a row, what is given for which field. Raises Refused for a row that is too long."""
    fields = [source.mapping.get(column, "") for column in source.table.header]
    width = len(fields)
    dates = _day_first_dates(source, fields)

    def give(cells: Sequence[Any]) -> dict[str, Any]:
        if len(cells) > width and any(cells[width:]):
            raise Refused(
                _("The row has %(cells)d cells where the header has %(columns)d.")
                % {"cells": len(cells), "columns": width}
            )
        given = dict(zip(fields, cells, strict=False))
        given.pop("", None)
        for field in dates:
            if isinstance(given[field], str):
                given[field] = given[field].replace("/", ".")
        return given

    return give


def _day_first_dates(source: Source, fields: Sequence[str]) -> list[str]:
    """Fields with dates whose slashes part days from months: with dots instead, they are read so."""
    if source.table.reading.dates != "day_first":
        return []
    known = kinds.get(source.kind).fields
    return [field for field in fields if field in known and known[field].is_date]
