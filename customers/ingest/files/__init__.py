"""Tables in files: CSV, TSV and JSON lines, plain or gzipped, and XLSX, each read as a stream."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from customers.ingest.files.base import AS_DETECTED, Reading, Table, UnreadableFile, opened
from customers.ingest.files.csv_file import CsvTable
from customers.ingest.files.jsonl_file import JsonlTable
from customers.ingest.files.xlsx_file import XlsxTable

__all__ = ["AS_DETECTED", "Reading", "Sample", "Table", "UnreadableFile", "open_table", "sample"]

DELIMITERS = {",": _(","), ";": _(";"), "\t": _("tab"), "|": _("|")}
DATES = ("day_first", "month_first")
LOOKED_AT = 2_000

_ZIP = b"PK\x03\x04"
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/\d{4}\b")


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, and how it is read."""

    format: str
    header: list[str]
    rows: list[list[Any]]
    reading: Reading


def open_table(path: str | Path, reading: Reading = AS_DETECTED) -> Table:
    """The table in a file of any format, which its content tells. Raises UnreadableFile."""
    with Path(path).open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        try:
            first = opened(raw).read(64).removeprefix(codecs.BOM_UTF8).lstrip()
        except (OSError, EOFError):
            first = b""  # a damaged archive: the reader says so
    if start == _ZIP:
        return XlsxTable(path, reading)
    return JsonlTable(path, reading) if first.startswith(b"{") else CsvTable(path, reading)


def sample(path: str | Path, rows: int = 3, reading: Reading = AS_DETECTED) -> Sample:
    """The header, the first rows and how the file is read, dates included, to show to a person. Raises UnreadableFile."""
    with open_table(path, reading) as table:
        beginning = [cells for _line, cells in islice(table, LOOKED_AT)]
        dates = reading.dates or _order_of_dates(beginning)
        return Sample(
            table.format, table.header, beginning[:rows], replace(table.reading, dates=dates)
        )


def reading_of(given: Mapping[str, Any]) -> Reading:
    """From an object as it is kept with an import or sent by a caller. Raises ValueError."""
    encoding, delimiter, dates = (
        str(given.get(name) or "") for name in ("encoding", "delimiter", "dates")
    )
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        raise ValueError(_("There is no encoding “%s”.") % encoding) from None
    if delimiter and (len(delimiter) != 1 or delimiter in '\r\n"'):
        raise ValueError(_("A separator is one character."))
    if dates and dates not in DATES:
        raise ValueError(_("Dates are day_first or month_first."))
    return Reading(encoding, delimiter, dates)


def _order_of_dates(rows: Iterable[Iterable[Any]]) -> str:
    """Of dates such as 13/2/2025, whose order a day above 12 tells; month_first where none does."""
    for cells in rows:
        for cell in cells:
            if isinstance(cell, str) and (found := _SLASHED.match(cell)):
                first, second = int(found[1]), int(found[2])
                if first > 12 >= second:
                    return "day_first"
                if second > 12 >= first:
                    return "month_first"
    return "month_first"
