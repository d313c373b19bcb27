"""The first sheet of a workbook: .xlsx, .xlsb, .xls or .ods."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from customers.ingest.files import Reading, UnreadableFile, checked_header


class SpreadsheetTable:
    format = "spreadsheet"

    def __init__(self, path: str | Path, reading: Reading) -> None:
        self.path = Path(path)
        self.reading = Reading("", "", reading.dates)
        self._line = 1
        try:
            self._book = CalamineWorkbook.from_path(self.path)
            sheet = self._book.get_sheet_by_index(0)
        except (CalamineError, OSError, IndexError) as error:
            raise UnreadableFile(
                _("This is not a workbook that can be read. Save it as .xlsx or CSV.")
            ) from error
        self._lines = max(sheet.total_height, 1)
        self._rows = iter(sheet.iter_rows())
        self.header = checked_header([_text(cell).strip() for cell in next(self._rows, ())])

    @property
    def progress(self) -> float:
        return min(self._line / self._lines, 1.0)

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        for line, row in enumerate(self._rows, 2):
            self._line = line
            cells = [_text(cell) for cell in row]
            if any(cells):
                yield line, cells + [""] * (len(self.header) - len(cells))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._book.close()


def _text(cell: Any) -> str:
    """Write a cell as a CSV file has it: whole numbers without a point, times in ISO 8601."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime.datetime):
        is_midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if is_midnight else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, datetime.date) else str(cell)
