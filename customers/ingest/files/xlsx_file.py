"""The first sheet of a workbook, a row at a time."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from customers.ingest.files.base import Reading, UnreadableFile, checked_header

_FAULTS = (
    InvalidFileException,
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    OSError,
    EOFError,
    SyntaxError,
)


class XlsxTable:
    format = "xlsx"

    def __init__(self, path: str | Path, reading: Reading) -> None:
        self.path = Path(path)
        self.reading = Reading("", "", reading.dates)
        self._line = 0
        try:
            self._book = load_workbook(self.path, read_only=True, data_only=True)
            self._sheet = self._book.worksheets[0]
            self._rows = iter(self._sheet.iter_rows(values_only=True))
            first = next(self._rows, ())
        except (*_FAULTS, IndexError) as error:
            raise UnreadableFile(_("This is not a workbook that can be read.")) from error
        self.header = checked_header([_text(cell).strip() for cell in first])

    @property
    def progress(self) -> float:
        return min(self._line / max(self._sheet.max_row or 1, 1), 1.0)

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        try:
            for line, row in enumerate(self._rows, 2):
                self._line = line
                cells = [_text(cell) for cell in row]
                if any(cells):
                    yield line, cells + [""] * (len(self.header) - len(cells))
        except _FAULTS as error:
            raise UnreadableFile(
                _("The workbook is damaged near line %d.") % (self._line + 1)
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._book.close()


def _text(cell: Any) -> str:
    """A cell as a CSV file would have it: whole numbers without a point, times in ISO 8601."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime.datetime):
        at_midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if at_midnight else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, datetime.date) else str(cell)
