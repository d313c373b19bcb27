"""Tables in files: CSV, TSV and JSON lines, plain or gzipped, and spreadsheets."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from django.conf import settings
from django.utils.translation import gettext as _

from customers.clean.dates import ORDERS as DATES
from customers.clean.numbers import SIGNS as DECIMAL_SIGNS
from customers.ingest.column_formats import ColumnFormat, Evidence, formats

T = TypeVar("T")

DELIMITERS = {",": _(","), ";": _(";"), "\t": _("tab"), "|": _("|")}
ENCODINGS = {
    "cp1252": "Western European (Windows-1252)",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "iso8859_15": "Western European (ISO 8859-15)",
    "cp1250": "Central European (Windows-1250)",
    "iso8859_2": "Central European (ISO 8859-2)",
    "cp1251": "Cyrillic (Windows-1251)",
    "iso8859_5": "Cyrillic (ISO 8859-5)",
    "koi8_r": "Cyrillic (KOI8-R)",
    "koi8_u": "Cyrillic (KOI8-U)",
    "cp1253": "Greek (Windows-1253)",
    "iso8859_7": "Greek (ISO 8859-7)",
    "cp1254": "Turkish (Windows-1254)",
    "iso8859_9": "Turkish (ISO 8859-9)",
    "cp1257": "Baltic (Windows-1257)",
    "iso8859_13": "Baltic (ISO 8859-13)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp932": "Japanese (Shift JIS)",
    "iso2022_jp": "Japanese (ISO 2022-JP)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "cp949": "Korean (CP949)",
    "euc_jp": "Japanese (EUC-JP)",
    "cp874": "Thai (Windows-874)",
    "cp1258": "Vietnamese (Windows-1258)",
    "cp850": "DOS Western European (CP850)",
    "cp437": "DOS (CP437)",
    "cp852": "DOS Central European (CP852)",
    "cp866": "DOS Cyrillic (CP866)",
    "mac_roman": "Mac Western European (Mac Roman)",
}
"""Codec → label, of equally likely ones the more common first."""
SAMPLED_ROWS = 2_000
BATCH_BYTES = 32 * 1024 * 1024
"""Rows that are in memory together have about this size, or are one row."""
SAMPLE_BYTES = 4 * 1024 * 1024
SAMPLE_SECONDS = 20
"""A request waits no longer for the beginning of a file, however busy the machine is."""
QUICK_BYTES = 32 * 1024 * 1024
QUICK_CPU_SECONDS = 2
QUICK_MEMORY = 128 * 1024 * 1024
"""The limits within which a request reads JSON lines, all of which it needs for their columns, and workbooks."""

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx, .xlsb and .ods begin, and .xls."""
_ALL_PARTS = ColumnFormat._fields
_SEARCHED_ROWS = 10
"""A header stands in one of the first rows; a report's title may stand above it."""


class UnreadableFile(ValueError):
    """The file cannot be read as a table; the message says why and what to do."""


class SlowFile(UnreadableFile):
    """A request would wait too long for the beginning of the file: a worker has to read it."""

    def __init__(self) -> None:
        super().__init__(
            _("The file takes long to read: wait until a worker has read its beginning.")
        )


@dataclass(frozen=True)
class Reading:
    """The encoding and separator of a file, the order of dates and decimal sign of all its columns; empty ones are detected."""

    encoding: str = ""
    delimiter: str = ""
    dates: str = ""
    decimal_sign: str = ""


AS_DETECTED = Reading()


class Meter(Protocol):
    """Counts the unpacked bytes that were read, up to a buffer ahead."""

    consumed: int


class Table(Protocol):
    """A file with a header, used in a `with`. Iterating gives (line of the file, cells); `progress` is from 0 to 1.

    A short row is padded with empty cells; a long one is given as it is. A cell is text, or in JSON lines any JSON value.
    Opening or iterating raises UnreadableFile.
    """

    format: str
    path: Path
    header: list[str]
    reading: Reading

    @property
    def meter(self) -> Meter: ...

    @property
    def progress(self) -> float: ...

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: Any) -> None: ...


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, or all of it, its reading, and the formats of its columns as far as it shows them."""

    format: str
    header: list[str]
    rows: list[list[Any]]
    reading: Reading
    formats: list[ColumnFormat]
    is_whole: bool


def open_table(
    path: str | Path,
    reading: Reading = AS_DETECTED,
    *,
    whole: bool = False,
    quick: bool = False,
    seconds: float | None = None,
) -> Table:
    """Open the table in a file, the format of which is detected from the content. Raises UnreadableFile.

    With `whole`, an encoding is detected from all of the file instead of its first MiB. Reading takes at most `seconds`, by default
    IMPORT_MAX_MINUTES; a file that is not `quick` to open raises SlowFile.
    """
    from customers.ingest.files.csv_file import CsvTable, Unpacked

    seconds = seconds or settings.IMPORT_MAX_MINUTES * 60
    with Path(path).open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        try:
            first = (
                Unpacked(raw, seconds).buffered().read(64).removeprefix(codecs.BOM_UTF8).lstrip()
            )
        except (OSError, EOFError):
            first = b""  # a damaged archive, which the reader reports
    if start in _WORKBOOKS:
        from customers.ingest.files.spreadsheet import SpreadsheetTable

        return SpreadsheetTable(path, reading, seconds, quick=quick)
    if first.startswith(b"{"):
        from customers.ingest.files.jsonl_file import JsonlTable

        return JsonlTable(path, reading, seconds, quick=quick)
    return CsvTable(path, reading, seconds, whole=whole)


def sample(path: str | Path, reading: Reading = AS_DETECTED, *, quick: bool = False) -> Sample:
    """Return the beginning of a file, its reading and the formats of its columns. Raises UnreadableFile, and SlowFile with `quick`."""
    with open_table(path, reading, quick=quick, seconds=SAMPLE_SECONDS if quick else None) as table:
        rows = iter(table)
        beginning = [
            cells for _line, cells in some_rows(table, rows, SAMPLED_ROWS, most_bytes=SAMPLE_BYTES)
        ]
        is_whole = next(rows, None) is None
        seen = Sample(table.format, table.header, beginning, table.reading, [], is_whole)
    return read_again(seen, reading)


def read_again(seen: Sample, reading: Reading) -> Sample:
    """Return the sample with the formats of its columns where dates and decimal signs are those of the reading."""
    reading = replace(seen.reading, dates=reading.dates, decimal_sign=reading.decimal_sign)
    wanted = dict.fromkeys(range(len(seen.header)), _ALL_PARTS)
    return replace(
        seen, reading=reading, formats=_formats(len(seen.header), reading, [seen.rows], wanted)
    )


def some_rows(
    table: Table, rows: Iterable[T], most: int, *, most_bytes: int = BATCH_BYTES
) -> Iterator[T]:
    """Yield at most that many of the rows of a table, and fewer where they are large."""
    most_consumed = table.meter.consumed + most_bytes
    for number, row in enumerate(rows, 1):
        yield row
        if number >= most or table.meter.consumed > most_consumed:
            return


def column_formats(
    path: str | Path, reading: Reading, wanted: Mapping[int, Collection[str]]
) -> list[ColumnFormat]:
    """Return the format of each column from all rows of a file. Raises UnreadableFile.

    `wanted` names the parts of the format by the place of the column; those of other columns are empty.
    """
    if not wanted:
        return []
    with open_table(path, reading) as table:
        rows = iter(cells for _line, cells in table)
        batches = iter(lambda: list(some_rows(table, rows, SAMPLED_ROWS)), [])
        return _formats(len(table.header), table.reading, batches, wanted)


def _formats(
    width: int,
    reading: Reading,
    batches: Iterable[list[list[Any]]],
    wanted: Mapping[int, Collection[str]],
) -> list[ColumnFormat]:
    columns = {place: Evidence(parts) for place, parts in wanted.items()}
    for batch in batches:
        wanted_still = [place for place, evidence in columns.items() if evidence.is_open]
        if not wanted_still:
            break
        for place in wanted_still:
            columns[place].add([cells[place] for cells in batch])
    stated = ColumnFormat(reading.dates, reading.decimal_sign)
    found = dict(zip(columns, formats(columns.values(), stated), strict=True))
    return [found.get(place, ColumnFormat()) for place in range(width)]


def reading_of(given: Mapping[str, Any]) -> Reading:
    """Return the reading in a stored or received object. Raises ValueError."""
    encoding, delimiter, dates, decimal_sign = (
        str(given.get(name) or "") for name in ("encoding", "delimiter", "dates", "decimal_sign")
    )
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        raise ValueError(
            _("There is no encoding “%s”. Use a name such as utf-8.") % encoding
        ) from None
    if delimiter and (len(delimiter) != 1 or delimiter in '\r\n"'):
        raise ValueError(_("The separator must be one character."))
    if dates and dates not in DATES:
        raise ValueError(_("dates must be day_first or month_first."))
    if decimal_sign and decimal_sign not in DECIMAL_SIGNS:
        raise ValueError(_("decimal_sign must be a dot or a comma."))
    return Reading(encoding, delimiter, dates, decimal_sign)


def header_place(rows: Sequence[Sequence[str]]) -> int:
    """Return the place of the header among the first rows: the first row with cells, or if that has one alone, the first with three."""
    filled = [sum(1 for cell in row if cell.strip()) for row in rows[:_SEARCHED_ROWS]]
    first = next((place for place, cells in enumerate(filled) if cells), 0)
    if not filled or filled[first] != 1:
        return first
    return next((place for place, cells in enumerate(filled) if cells >= 3), first)


def named_columns(header: Sequence[str], rows: Iterable[Sequence[Any]] = ()) -> list[str]:
    """Return a name of its own for each column: `E-mail`, `E-mail (2)`, `Column 3`.

    Nameless columns at the end count if one of the rows has cells there. Raises UnreadableFile for a row that is not a header.
    """
    names = [name.strip() for name in header]
    width = max(
        (place for cells in rows for place, cell in enumerate(cells, 1) if cell != ""), default=0
    )
    while names and not names[-1] and len(names) > width:
        names.pop()
    if len(names) > settings.IMPORT_MAX_COLUMNS:
        raise UnreadableFile(
            _("The file has more than %d columns. Delete those that you do not need.")
            % settings.IMPORT_MAX_COLUMNS
        )
    if not any(names) or any("\x00" in name for name in names):
        raise UnreadableFile(
            _("The first line is not a header. Save the table as CSV and upload it again.")
        )
    taken: set[str] = set()
    for place, name in enumerate(names):
        wanted = name or _("Column %d") % (place + 1)
        numbered = (f"{wanted} ({number})" for number in count(2))
        names[place] = next(each for each in chain([wanted], numbered) if each not in taken)
        taken.add(names[place])
    return names
