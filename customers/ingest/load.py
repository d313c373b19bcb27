"""A file into the database, whatever its kind: read, clean, write in batches, and hand back what was rejected and why."""

from __future__ import annotations

import csv
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from crm.api.csv import escape
from customers.ingest import file_types, orders
from customers.ingest.fields import REJECTED_COLUMNS
from customers.ingest.file_types import check_mapping
from customers.ingest.files import AS_DETECTED, Reading, Table, open_table, sample
from customers.ingest.prefetch import ahead
from customers.ingest.rows import Numbered, Read, Row, Rows
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
        loaded = file_types.get(kind).load(source)
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
    complete: Callable[[Row], Row], write: Callable[[list[Row], Source], list[Result]]
) -> Loader:
    """A loader for kinds whose rows stand for themselves, written some thousands at a time.

    `complete` makes a row to write from the values of its fields, and raises Refused where it cannot.
    """

    def load_rows(source: Source) -> Loaded:
        loaded = Loaded()
        header = source.table.header
        for batch in ahead(_completed(source, complete)):
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
    """Rows to write with the lines and cells that they were, and those that cannot be taken, with the reason."""

    rows: list[Row]
    taken: list[tuple[int, Sequence[Any]]]
    refused: list[tuple[int, Sequence[Any], str]]


def _completed(source: Source, complete: Callable[[Row], Row]) -> Iterator[_Batch]:
    rows = _rows(source)
    for some in rows.batches(BATCH):
        batch = _Batch([], [], [])
        for line, cells, row in rows.clean(some):
            try:
                batch.rows.append(complete(_taken(row)))
                batch.taken.append((line, cells))
            except ValueError as error:
                batch.refused.append((line, cells, str(error)))
        yield batch


def load_orders(source: Source) -> Loaded:
    """The loader of order lines: all of them are staged before the first order is put together."""
    loaded = Loaded()
    with orders.staging() as staging:
        for lines in ahead(_lines(source)):
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
        _pick_out(source, staging.refused())
    return loaded


class _Lines(NamedTuple):
    taken: Sequence[orders.Line | orders.WrittenLine]
    refused: Sequence[orders.RefusedLine]


def _lines(source: Source) -> Iterator[_Lines]:
    id_column = next(column for column, field in source.mapping.items() if field == "order_id")
    id_place = source.table.header.index(id_column)
    rows = _rows(source)
    for some in rows.batches(LINES_BATCH):
        yield _all_at_once(rows, some) or _line_by_line(rows.clean(some), id_place)


def _all_at_once(rows: Rows, some: Sequence[Numbered]) -> _Lines | None:
    """None where one of the lines does not fit: which, and why, is found line by line."""
    try:
        return _Lines(orders.write_lines([line for line, _cells in some], rows.columns(some)), [])
    except ValueError:
        return None


def _line_by_line(read: Sequence[Read], id_place: int) -> _Lines:
    taken, refused = [], []
    for line, cells, row in read:
        try:
            taken.append(orders.complete_line(line, _taken(row)))
        except ValueError as error:
            refused.append(orders.refused_line(line, str(cells[id_place]), error))
    return _Lines(taken, refused)


def _rows(source: Source) -> Rows:
    return Rows(source.table, source.mapping, file_types.get(source.kind).fields)


def _taken(row: Row | ValueError) -> Row:
    if isinstance(row, ValueError):
        raise row
    return row


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
