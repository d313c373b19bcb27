"""Tables in files: CSV, TSV and JSON lines, plain or gzipped, and spreadsheets."""

from __future__ import annotations

import codecs
import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, Protocol, Self, cast

from django.utils.translation import gettext as _

DELIMITERS = {",": _(","), ";": _(";"), "\t": _("tab"), "|": _("|")}
ENCODINGS = {
    "cp1252": "Western European (Windows-1252)",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
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
    "euc_jp": "Japanese (EUC-JP)",
    "iso2022_jp": "Japanese (ISO 2022-JP)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "cp949": "Korean (CP949)",
    "cp874": "Thai (Windows-874)",
    "cp1258": "Vietnamese (Windows-1258)",
    "cp850": "DOS Western European (CP850)",
    "cp437": "DOS (CP437)",
    "cp852": "DOS Central European (CP852)",
    "cp866": "DOS Cyrillic (CP866)",
    "mac_roman": "Mac Western European (Mac Roman)",
}
"""Codec → label, of equally likely ones the more common first."""
DATES = ("day_first", "month_first")
SAMPLED_ROWS = 2_000

_GZIP = b"\x1f\x8b"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx, .xlsb and .ods begin, and .xls."""
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/\d{4}\b")


class UnreadableFile(ValueError):
    """The file cannot be read as a table; the message says why and what to do."""


@dataclass(frozen=True)
class Reading:
    """The encoding, separator and order of dates in a file; empty ones are detected. `dates` is `day_first` or `month_first`."""

    encoding: str = ""
    delimiter: str = ""
    dates: str = ""


AS_DETECTED = Reading()


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
    def progress(self) -> float: ...

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: Any) -> None: ...


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, and its reading."""

    format: str
    header: list[str]
    rows: list[list[Any]]
    reading: Reading


def open_table(path: str | Path, reading: Reading = AS_DETECTED, *, whole: bool = False) -> Table:
    """Open the table in a file, whose content tells its format. Raises UnreadableFile.

    With `whole`, an encoding is detected from all of the file instead of its first MiB.
    """
    with Path(path).open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        try:
            first = opened(raw).read(64).removeprefix(codecs.BOM_UTF8).lstrip()
        except (OSError, EOFError):
            first = b""  # a damaged archive, which the reader reports
    if start in _WORKBOOKS:
        from customers.ingest.files.spreadsheet import SpreadsheetTable

        return SpreadsheetTable(path, reading)
    if first.startswith(b"{"):
        from customers.ingest.files.jsonl_file import JsonlTable

        return JsonlTable(path, reading)
    from customers.ingest.files.csv_file import CsvTable

    return CsvTable(path, reading, whole=whole)


def sample(
    path: str | Path, rows: int = 3, reading: Reading = AS_DETECTED, *, whole: bool = False
) -> Sample:
    """Return the header, the first rows and the detected reading of a file. Raises UnreadableFile."""
    with open_table(path, reading, whole=whole) as table:
        beginning = [cells for _line, cells in islice(table, SAMPLED_ROWS)]
        dates = reading.dates or _order_of_dates(beginning)
        return Sample(
            table.format, table.header, beginning[:rows], replace(table.reading, dates=dates)
        )


def reading_of(given: Mapping[str, Any]) -> Reading:
    """Return the reading in a stored or received object. Raises ValueError."""
    encoding, delimiter, dates = (
        str(given.get(name) or "") for name in ("encoding", "delimiter", "dates")
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
    return Reading(encoding, delimiter, dates)


def opened(raw: IO[bytes]) -> IO[bytes]:
    """Return the bytes of a file that may be gzipped."""
    zipped = raw.read(2) == _GZIP
    raw.seek(0)
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if zipped else raw


def checked_header(header: list[str]) -> list[str]:
    """Return the names of the columns, without empty ones at the end. Raises UnreadableFile for a row that is not a header."""
    while header and not header[-1]:
        header.pop()
    if missing := [str(place) for place, name in enumerate(header, 1) if not name]:
        raise UnreadableFile(
            _("The header has no name for column %s. Name every column in the first line.")
            % ", ".join(missing)
        )
    if doubled := [name for name, times in Counter(header).items() if times > 1]:
        raise UnreadableFile(
            _("The header has “%s” more than once. Give every column a name of its own.")
            % "”, “".join(doubled)
        )
    if not header or any("\x00" in name for name in header):
        raise UnreadableFile(
            _("The first line is not a header. Save the table as CSV and upload it again.")
        )
    return header


def _order_of_dates(rows: Iterable[Iterable[Any]]) -> str:
    """Tell from dates such as 13/2/2025 which part is the day; month_first without such a date."""
    for cells in rows:
        for cell in cells:
            if isinstance(cell, str) and (found := _SLASHED.match(cell)):
                first, second = int(found[1]), int(found[2])
                if first > 12 >= second:
                    return "day_first"
                if second > 12 >= first:
                    return "month_first"
    return "month_first"
