"""Load a file of any type: read it, clean its rows, write them in batches, and report rejected rows with their reasons.

A batch is cleaned column by column where every cell fits, which is much faster, else row by row. While the database writes a batch, a
thread reads and cleans the next one.
"""

from __future__ import annotations

import csv
import gc
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice, repeat
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from crm.api.csv import escape, unescape
from customers.ingest import orders
from customers.ingest.column_formats import ColumnFormat
from customers.ingest.consent_columns import UNANSWERED, ConsentAnswers
from customers.ingest.fields import (
    ANY,
    ATTRIBUTES,
    CONSENT,
    REJECTED_COLUMNS,
    Field,
    Refused,
    clean_columns,
    clean_fields,
    is_empty,
    set_aside,
    words_of,
)
from customers.ingest.files import (
    AS_DETECTED,
    BATCH_BYTES,
    ENCODINGS,
    Reading,
    Table,
    UnreadableFile,
    column_formats,
    open_table,
)
from customers.ingest.known_exports import KnownExport, recognise
from customers.ingest.upsert import Outcome, Result, Stated

if TYPE_CHECKING:
    from customers.ingest.file_types import FileType

T = TypeVar("T")

BATCH = 5_000
LINES_BATCH = 10_000
_STRANGE = re.compile("[\ud800-\udfff]")
"""Bytes that are not of the encoding of the file, as surrogates."""
_VALUES_IN_REASONS = re.compile(r"(?<=“)[^”]*(?=”)|\S+@\S+|\b\d+\b")
"""What differs between reasons of one kind."""
_PLAIN_MARKS = str.maketrans({"“": '"', "”": '"', "’": "'", "…": "...", "–": "-"})
MOST_REASONS = 200

Progress = Callable[[str, float], None]
"""Takes the stage (reading, assembling, writing) and the progress over all stages, 0 to 1; called outside of transactions."""
Row = dict[str, Any]
NumberedCells = tuple[int, Sequence[Any]]
"""The line of a row in its file, and its cells."""


@dataclass(slots=True)
class Loaded:
    """How many rows a file had, by outcome, and how many unread cells by field.

    Of order files `created`, `updated` and `unchanged` count orders, the others lines. `opt_outs_kept` counts rows whose opt-in could
    not undo an opt-out.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    unread_cells: dict[str, int] = field(default_factory=dict)
    opt_outs_kept: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Reasons of rejected rows and unread cells, without the values that they quote, which are personal data."""

    def count_reasons(self, reasons: Iterable[str]) -> None:
        for reason in reasons:
            kind = _VALUES_IN_REASONS.sub("…", reason)[:300]
            if kind in self.reasons or len(self.reasons) < MOST_REASONS:
                self.reasons[kind] = self.reasons.get(kind, 0) + 1


@dataclass(slots=True)
class Begun:
    """An import under way: the reading of its file, the formats of its columns, and the results of the loaded rows."""

    reading: Reading
    formats: Sequence[ColumnFormat]
    loaded: Loaded = field(default_factory=Loaded)


class RejectedRows:
    """Writes rejected rows, and rows with unread cells, to a CSV file, with their line and the reason. Without such a row there is no file.

    `size` is how many bytes of an existing file to write on after. `delimiter` and `encoding` are set to those of the imported
    file before the first row.
    """

    def __init__(self, path: Path, size: int = 0) -> None:
        self.path = path
        self.delimiter, self.encoding = ",", "utf-8"
        self._size = size
        self._file: Any = None
        if size:
            os.truncate(path, size)

    @property
    def is_empty(self) -> bool:
        return self._file is None and not self._size

    def flush(self) -> int:
        """Write all rows to the disk; return the size of the file in bytes."""
        if self._file is None:
            return self._size
        self._file.flush()
        return self.path.stat().st_size

    def add(self, header: Sequence[str], cells: Sequence[Any], line: int, reason: str) -> None:
        """Write a rejected row."""
        self._write(header, cells, line, reason)

    def add_unread(
        self, header: Sequence[str], cells: Sequence[Any], line: int, unread: Sequence[Refused]
    ) -> None:
        """Write an imported row with the cells of it that were not understood."""
        reasons = "; ".join(map(str, unread))
        note = _("The row was imported, but: %s") % reasons
        self._write(header, cells, line, note)

    def _write(self, header: Sequence[str], cells: Sequence[Any], line: int, reason: str) -> None:
        if self._file is None and self._size:
            self._open("a")
        elif self._file is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            self._open("w")
            self._writer.writerow([*map(escape, header), *REJECTED_COLUMNS])
        padded = [*cells, *[""] * (len(header) - len(cells))][: len(header)]
        self._writer.writerow([*map(_storable, padded), line, self._readable(_storable(reason))])

    def _open(self, mode: str) -> None:
        self._file = self.path.open(mode, newline="", encoding=self.encoding, errors="replace")

    def _readable(self, reason: str) -> str:
        """Return a reason in characters of the encoding: not every one has typographic quotation marks."""
        try:
            reason.encode(self.encoding)
        except UnicodeEncodeError:
            return reason.translate(_PLAIN_MARKS)
        return reason

    @cached_property
    def _writer(self) -> Any:
        return csv.writer(self._file, delimiter=self.delimiter)

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


def _storable(cell: object) -> str:
    """Return a cell for the file, with a question mark for each byte that was not of the encoding."""
    return escape(cell).replace("\x00", "").encode(errors="replace").decode()


@dataclass(frozen=True)
class Source:
    """An open file with its type, the mapping and formats of its columns, and where progress, results and rejected rows go.

    `export` is the export of a product that it is; `save` stores `loaded` in the transaction of a batch.
    """

    file_type: FileType
    table: Table
    mapping: Mapping[str, str]
    rejected: RejectedRows
    evidence: str
    create_missing: bool
    progress: Progress
    formats: Sequence[ColumnFormat] = ()
    export: KnownExport | None = None
    consent: ConsentAnswers = UNANSWERED
    store: str = ""
    loaded: Loaded = field(default_factory=Loaded)
    save: Callable[[], None] = lambda: None
    most_rows: int | None = None

    def reject(self, line: int, cells: Sequence[Any], reason: str) -> None:
        """Count and store a rejected row; its reasons are a line each."""
        reasons = reason.split("\n")
        self.rejected.add(self.table.header, cells, line, "; ".join(reasons))
        self.loaded.count_reasons(reasons)
        self.loaded.rejected += 1

    def note_unread(self, line: int, cells: Sequence[Any], unread: Sequence[Refused]) -> None:
        """Count and store the cells of an imported row that were not understood."""
        self.rejected.add_unread(self.table.header, cells, line, unread)
        self.loaded.count_reasons(map(str, unread))
        for each in unread:
            counts = self.loaded.unread_cells
            counts[each.field] = counts.get(each.field, 0) + 1

    @cached_property
    def names(self) -> list[str]:
        """Return the field of each column, empty for ignored ones."""
        return [self.mapping.get(column, "") for column in self.table.header]

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Return the fields of this file, each as its column writes it."""
        read = {
            name: self.file_type.fields.get(name, ANY).read_as(how)
            for name, how in zip(self.names, self.formats, strict=False)
            if name and name != ATTRIBUTES
        }
        return dict(self.file_type.fields) | read


Loader = Callable[[Source], None]


def load_file(
    file_type: FileType,
    path: str | Path,
    mapping: Mapping[str, str],
    *,
    rejected: RejectedRows,
    evidence: str,
    reading: Reading = AS_DETECTED,
    create_missing: bool = False,
    store: str = "",
    progress: Progress = lambda stage, done: None,
    consent: ConsentAnswers = UNANSWERED,
    begun: Begun | None = None,
    save: Callable[[Begun], None] = lambda begun: None,
    most_rows: int | None = None,
) -> Loaded:
    """Load a file, or its first rows; loading it again changes nothing more. `store` is that of orders whose row has none.

    `save` gets the results of the loaded rows, in the transaction of each batch, and an import that has `begun` resumes after them; files
    of orders are loaded at once. Raises files.UnreadableFile, Refused for a mapping that does not fit or dates of unclear order, and
    ConsentQuestion before anything is written. Batches written before another error stay.
    """
    with _little_garbage():
        begun = begun or _begin(file_type, path, mapping, reading, consent)
        with open_table(path, begun.reading) as table:
            rejected.delimiter = table.reading.delimiter or ","
            if table.format == "csv":
                rejected.encoding = table.reading.encoding.removesuffix("-sig")
            source = Source(
                file_type,
                table,
                mapping,
                rejected,
                evidence,
                create_missing,
                progress,
                begun.formats,
                recognise(file_type.name, table.header),
                consent,
                store,
                begun.loaded,
                partial(save, begun),
                most_rows,
            )
            file_type.load(source)
    return begun.loaded


def _begin(
    file_type: FileType,
    path: str | Path,
    mapping: Mapping[str, str],
    reading: Reading,
    consent: ConsentAnswers,
) -> Begun:
    """Read a whole file once for its encoding, open questions of consent, and the formats of its columns."""
    with open_table(path, reading, whole=True) as table:
        reading, header = table.reading, table.header
    file_type.check_mapping(mapping, header)
    file_type.check_consent(path, reading, mapping, consent)
    formats = column_formats(path, reading, _wanted_formats(file_type, header, mapping))
    file_type.check_dates(header, mapping, formats)
    return Begun(reading, formats)


def _wanted_formats(
    file_type: FileType, header: Sequence[str], mapping: Mapping[str, str]
) -> dict[int, tuple[str, ...]]:
    """Return the parts of the format by which each column is read, by its place."""
    names = [mapping.get(column, "") for column in header]
    return {
        place: parts
        for place, name in enumerate(names)
        if name and name != ATTRIBUTES
        if (parts := file_type.fields.get(name, ANY).format_parts)
    }


def by_batches(
    complete: Callable[[Row], Row], write: Callable[[list[Row], Source], list[Result]]
) -> Loader:
    """Return a loader for files whose rows are independent of each other.

    `complete` turns cleaned fields into a row to write, and raises Refused for a row that cannot be written.
    """

    def load_rows(source: Source) -> None:
        for batch in prefetch(_batches(source, complete)):
            with transaction.atomic():
                _count(source, batch, write(batch.rows, source))
                source.save()
            source.progress("writing", source.table.progress)

    return load_rows


def _count(source: Source, batch: _Batch, results: Sequence[Result]) -> None:
    loaded = source.loaded
    for line, cells, reason in batch.refused:
        source.reject(line, cells, reason)
    for (line, cells), result in zip(batch.taken, results, strict=True):
        if result.outcome is Outcome.FAILED:
            source.reject(line, cells, result.reason)
            continue
        setattr(loaded, result.outcome, getattr(loaded, result.outcome) + 1)
        loaded.opt_outs_kept += result.kept_out
        unread = batch.unread.get(line, [])
        if left_out := [*unread, result.left_out] if result.left_out else unread:
            source.note_unread(line, cells, left_out)
    loaded.rows += len(batch.rows) + len(batch.refused)


def load_orders(source: Source) -> None:
    """Load order lines: all of them are staged before the first order is assembled."""
    loaded = source.loaded
    with orders.staging() as staging:
        for lines in prefetch(_lines(source)):
            staging.add(lines.taken, lines.refused)
            for line, cells, unread in lines.unread:
                source.note_unread(line, cells, unread)
            loaded.rows += lines.rows
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
    """A row of a file: its line, its cells, its values or the reason for rejecting it, and its cells that were not understood."""

    line: int
    cells: Sequence[Any]
    row: Row | ValueError
    unread: list[Refused]

    def values(self) -> Row:
        if isinstance(self.row, ValueError):
            raise self.row
        return self.row


class _Cleaner:
    """Cleans the rows of a source by the fields that its columns are mapped to."""

    def __init__(self, source: Source) -> None:
        self.table, self.fields, self.export = source.table, source.fields, source.export
        self.answers, self.most_rows = source.consent, source.most_rows
        self.loaded_rows = source.loaded.rows
        formats = source.formats or repeat(ColumnFormat())
        self.consent = [
            (place, name, f"file: {words_of(self.table.header[place])}", known.read_as(how))
            for place, (name, how) in enumerate(zip(source.names, formats, strict=False))
            if name in CONSENT and (known := source.file_type.fields.get(name))
        ]
        stated = {place for place, *_rest in self.consent}
        self.names = ["" if place in stated else name for place, name in enumerate(source.names)]

    def batches(self, size: int) -> Iterator[Sequence[NumberedCells]]:
        """Yield batches of the rows not loaded before, smaller ones where rows are large. Raises UnreadableFile for too many."""
        rows = iter(self.table)
        for _loaded in islice(rows, self.loaded_rows):
            pass
        batch, meter = list[NumberedCells](), self.table.meter
        most_consumed = meter.consumed + BATCH_BYTES
        for count, row in enumerate(islice(rows, self.most_rows), self.loaded_rows + 1):
            batch.append(row)
            if len(batch) >= size or meter.consumed > most_consumed:
                yield batch
                batch, most_consumed = [], meter.consumed + BATCH_BYTES
            if count > settings.IMPORT_MAX_ROWS:
                raise UnreadableFile(
                    _("The file has more than %d rows. Split it; rows that are written stay.")
                    % settings.IMPORT_MAX_ROWS
                )
        if batch:
            yield batch

    def clean(self, batch: Sequence[NumberedCells]) -> list[CleanedRow]:
        try:
            rows = clean_columns(self.columns(batch), self.fields)
            if self.consent:
                for (_line, cells), row in zip(batch, rows, strict=True):
                    self._add_stated(row, cells)
        except ValueError:  # row by row, to find the invalid ones and their reasons
            return [self._row(line, cells) for line, cells in batch]
        return [
            CleanedRow(line, cells, row, []) for (line, cells), row in zip(batch, rows, strict=True)
        ]

    def columns(self, batch: Sequence[NumberedCells]) -> dict[str, Sequence[str]]:
        """Return the cells of each field. Raises ValueError where they are not all text, or a row has too many."""
        if self.table.format != "csv":
            raise ValueError(self.table.format)
        by_place = zip(*(cells for _line, cells in batch), strict=True)
        columns: dict[str, Sequence[str]] = dict(zip(self.names, by_place, strict=True))
        columns.pop("", None)
        return {name: self._plain_column(name, cells) for name, cells in columns.items()}

    def _plain_column(self, name: str, cells: Sequence[str]) -> Sequence[str]:
        if self.export is None and "\n'" not in "\n".join(["", *cells]):
            return cells
        return [self._plain(name, cell) for cell in cells]

    def _plain(self, name: str, cell: Any) -> Any:
        """Return a cell without what a spreadsheet or product puts around its value."""
        if self.export and self.export.is_own and isinstance(cell, Mapping):
            cell = json.dumps(cell)  # as text it keeps the types of its values
        if not isinstance(cell, str):
            return cell
        if self.table.format != "jsonl":
            cell = unescape(cell)
        return self.export.plain(cell, name) if self.export else cell

    def _row(self, line: int, cells: Sequence[Any]) -> CleanedRow:
        unread: list[Refused] = []
        try:
            return CleanedRow(line, cells, self._values(cells, unread), unread)
        except ValueError as error:
            return CleanedRow(line, cells, error, [])

    def _values(self, cells: Sequence[Any], unread: list[Refused]) -> Row:
        width = len(self.names)
        if len(cells) > width and any(cells[width:]):
            raise Refused(
                _("The row has %(cells)d cells, but the header has %(columns)d.")
                % {"cells": len(cells), "columns": width}
            )
        if any(isinstance(cell, str) and _STRANGE.search(cell) for cell in cells):
            raise Refused(
                _("The row has characters that cannot be read as %s. Save the file as UTF-8.")
                % ENCODINGS.get(self.table.reading.encoding, self.table.reading.encoding)
            )
        given = {
            name: self._plain(name, cell)
            for name, cell in zip(self.names, cells, strict=False)
            if name
        }
        refused: list[str] = []
        row: Row = {}
        try:
            row = clean_fields(given, self.fields, unread)
        except Refused as error:
            refused.append(str(error))
        try:
            self._add_stated(row, cells)
        except Refused as error:
            refused.append(str(error))
        if refused:
            raise Refused("\n".join([*refused, *map(str, unread)]))
        return row

    def _add_stated(self, row: Row, cells: Sequence[Any]) -> None:
        """Add what the columns of consent state to a cleaned row. Raises Refused for a cell that states nothing known."""
        stated = []
        for place, name, source, known in self.consent:
            cell = self._plain(name, cells[place]) if place < len(cells) else None
            if is_empty(cell):
                continue
            try:
                said = self.answers.values and self.answers.said(cell)
                if said := said or known.clean(cell):
                    stated.append(Stated(name, source, said))
            except ValueError as error:
                raise Refused(str(error), name) from error
        if stated:
            row["stated"] = stated


class _Batch(NamedTuple):
    """Rows to write with their lines and cells, rejected rows with their reasons, and unread cells by line."""

    rows: list[Row]
    taken: list[NumberedCells]
    refused: list[tuple[int, Sequence[Any], str]]
    unread: dict[int, list[Refused]]


def _batches(source: Source, complete: Callable[[Row], Row]) -> Iterator[_Batch]:
    cleaner = _Cleaner(source)
    for cells_of_rows in cleaner.batches(BATCH):
        batch = _Batch([], [], [], {})
        for cleaned in cleaner.clean(cells_of_rows):
            line, cells, _row, unread = cleaned
            try:
                batch.rows.append(
                    _completed(cleaned.values(), complete, source.file_type.fields, unread)
                )
            except ValueError as error:
                batch.refused.append((line, cells, str(error)))
                continue
            batch.taken.append((line, cells))
            if unread:
                batch.unread[line] = unread
        yield batch


def _completed(
    row: Row, complete: Callable[[Row], Row], fields: Mapping[str, Field], unread: list[Refused]
) -> Row:
    """Complete a row, without a value that only turns out to be invalid there, such as a phone number."""
    try:
        return complete(row)
    except Refused as error:
        if error.field not in row or error.field not in fields or fields[error.field].rejects:
            raise
        unread.append(error)
        set_aside(row, error.field, row.pop(error.field))
        return complete(row)


class _Lines(NamedTuple):
    """Rows that were read, the lines in them, refused lines, and rows with unread cells."""

    rows: int
    taken: Sequence[orders.Line | orders.WrittenLine]
    refused: Sequence[orders.RefusedLine] = ()
    unread: Sequence[tuple[int, Sequence[Any], Sequence[Refused]]] = ()


def _lines(source: Source) -> Iterator[_Lines]:
    cleaner = _Cleaner(source)
    continued = _Continued(source)
    refunds: set[tuple[object, ...]] = set()
    for batch in cleaner.batches(LINES_BATCH):
        lines = _all_at_once(cleaner, batch, source.store)
        if lines is None:
            whole = list(continued.complete(batch))
            cleaned = cleaner.clean(whole)
            lines = _line_by_line(cleaned, continued.id_place, source.store, refunds)
        else:
            continued.last = batch[-1][1]
        yield lines


class _Continued:
    """Completes the lines of an order that leave out what its first line has: the customer and time, or the id as well."""

    def __init__(self, source: Source) -> None:
        place = {name: place for place, name in enumerate(source.names) if name}
        self.id_place = place["order_id"]
        self._repeated = [self.id_place, place["customer_id"], place["placed_at"]]
        self._of_lines = [place[name] for name in ("sku", "name") if name in place]
        self.last: Sequence[Any] = [""] * len(source.names)

    def complete(self, batch: Sequence[NumberedCells]) -> Iterator[NumberedCells]:
        for line, cells in batch:
            self.last = self._completed(list(cells))
            yield line, self.last

    def _completed(self, cells: list[Any]) -> list[Any]:
        is_nameless = all(is_empty(cells[place]) for place in self._repeated)
        is_line = any(not is_empty(cells[place]) for place in self._of_lines)
        if cells[self.id_place] == self.last[self.id_place] or (is_nameless and is_line):
            for place in self._repeated:
                if is_empty(cells[place]):
                    cells[place] = self.last[place]
        return cells


def _all_at_once(cleaner: _Cleaner, batch: Sequence[NumberedCells], store: str) -> _Lines | None:
    """Return None where a line does not fit; _line_by_line() finds it and the reason."""
    try:
        numbers = [line for line, _cells in batch]
        lines = orders.write_lines(numbers, cleaner.columns(batch), cleaner.fields, store)
    except ValueError:
        return None
    return _Lines(len(batch), lines)


def _line_by_line(
    rows: Sequence[CleanedRow], id_place: int, store: str, refunds: set[tuple[object, ...]]
) -> _Lines:
    """Complete the lines of rows. `refunds` are those without an id before them, and become those with them."""
    taken, refused, unread = [], [], []
    for cleaned in rows:
        try:
            found = orders.complete_lines(cleaned.line, cleaned.values(), store=store)
        except ValueError as error:
            order_id = str(cleaned.cells[id_place])
            refused.append(orders.refused_line(cleaned.line, order_id, error))
            continue
        taken += found
        notes = [*cleaned.unread]
        if found[0].is_nameless_refund:
            same = (found[0].order_id, found[0].store, found[0].kind, found[0].order_amount)
            notes += [orders.SameRefund("order_id")] if same in refunds else []
            refunds.add(same)
        if notes:
            unread.append((cleaned.line, cleaned.cells, notes))
    return _Lines(len(rows), taken, refused, unread)


def _reject_lines(source: Source, refused: Iterator[tuple[int, str]]) -> None:
    """Read the file again for the cells of refused lines, if there are any."""
    wanted = next(refused, None)
    if wanted is None:
        return
    with open_table(source.table.path, source.table.reading) as table:
        for line, cells in table:
            if line == wanted[0]:
                source.reject(line, cells, wanted[1])
                wanted = next(refused, None)
                if wanted is None:
                    return


@contextmanager
def _little_garbage() -> Iterator[None]:
    """Exclude existing objects from garbage collection, which would walk them over and over while rows are made."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
