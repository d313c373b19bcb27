"""The first sheet of a workbook: .xlsx, .xlsb, .xls or .ods."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Self
from zipfile import ZipFile, is_zipfile

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from customers.ingest.files import (
    SAMPLED_ROWS,
    Reading,
    UnreadableFile,
    header_place,
    named_columns,
)


class SpreadsheetTable:
    """A Table of the first sheet that has rows. Numbers and booleans stay what they are; times are text in ISO 8601."""

    format = "spreadsheet"

    def __init__(self, path: str | Path, reading: Reading) -> None:
        self.path = Path(path)
        self.reading = replace(reading, encoding="", delimiter="")
        try:
            self._book = CalamineWorkbook.from_path(self.path)
            sheets = map(self._book.get_sheet_by_index, range(len(self._book.sheet_names)))
            sheet = next((each for each in sheets if each.total_height), None)
        except (CalamineError, OSError) as error:
            raise UnreadableFile(_why(self.path)) from error
        first_row = sheet.start[0] if sheet and sheet.start else 0
        rows = ([_value(cell) for cell in row] for row in sheet.iter_rows()) if sheet else iter(())
        beginning = list(islice(rows, SAMPLED_ROWS))
        place = header_place([[str(cell) for cell in row] for row in beginning])
        self._line = first_row + place + 1
        self._lines = max(sheet.total_height if sheet else 1, 1)
        self._rows = chain(beginning[place + 1 :], rows)
        header = [str(cell) for cell in beginning[place]] if beginning else []
        self.header = named_columns(header, beginning[place + 1 :])

    @property
    def progress(self) -> float:
        return min(self._line / self._lines, 1.0)

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        for line, cells in enumerate(self._rows, self._line + 1):
            self._line = line
            if any(cell != "" for cell in cells):
                yield line, cells + [""] * (len(self.header) - len(cells))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._book.close()


def _value(cell: Any) -> Any:
    """Return text, numbers and booleans; whole numbers without a point, times in ISO 8601."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, datetime.datetime):
        is_midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if is_midnight else cell.isoformat(sep=" ")
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return cell if isinstance(cell, bool | int | float) else str(cell)


def _why(path: Path) -> str:
    """Explain why a file that begins as a workbook is none."""
    if is_zipfile(path):
        with ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
        if not any(name.startswith(("xl/", "content.xml", "[Content_Types]")) for name in names):
            return _("This is a ZIP archive of %s. Unpack it and import each file by itself.") % (
                ", ".join(names[:5])
            )
    return _("This is not a workbook that can be read. Save it as .xlsx or CSV.")
