"""The first sheet of a workbook: .xlsx, .xlsb, .xls or .ods, read by a process of its own (read_workbook)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, Any, Self, cast

from django.conf import settings
from django.utils.translation import gettext as _

from customers.ingest.files import (
    QUICK_CPU_SECONDS,
    QUICK_MEMORY,
    SAMPLED_ROWS,
    Reading,
    SlowFile,
    UnreadableFile,
    header_place,
    named_columns,
    some_rows,
)
from customers.ingest.files.csv_file import (
    MIB,
    RowTooLong,
    Unpacked,
    most_unpacked,
    too_large_unpacked,
)

READER = Path(__file__).with_name("read_workbook.py")


class SpreadsheetTable:
    """A Table of the first sheet that has rows. Numbers and booleans stay what they are; times are text in ISO 8601."""

    format = "spreadsheet"

    def __init__(
        self, path: str | Path, reading: Reading, seconds: float, *, quick: bool = False
    ) -> None:
        self.path = Path(path)
        self.reading = replace(reading, encoding="", delimiter="")
        most = most_unpacked(self.path.stat().st_size)
        memory = settings.IMPORT_MAX_MEMORY_MB * MIB
        limits = (memory, round(seconds) + 1, most)
        if quick:
            limits = (min(memory, QUICK_MEMORY), QUICK_CPU_SECONDS, most)
        self._quick = quick
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(READER), str(self.path), *map(str, limits)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.meter = Unpacked(cast(IO[bytes], self._process.stdout), seconds)
            self._lines = self.meter.buffered()
            sheet = self._next()
            if "fault" in sheet:
                raise UnreadableFile(_why(sheet, most))
            rows = iter(self._next, None)
            beginning = list(some_rows(self, rows, SAMPLED_ROWS))
            place = header_place([[str(cell) for cell in row] for row in beginning])
            self._line = sheet["first_row"] + place + 1
            self._height = max(sheet["rows"], 1)
            self._rows = chain(beginning[place + 1 :], rows)
            header = [str(cell) for cell in beginning[place]] if beginning else []
            self.header = named_columns(header, beginning[place + 1 :])
        except BaseException:
            self._end()
            raise

    @property
    def progress(self) -> float:
        return min(self._line / self._height, 1.0)

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        for line, cells in enumerate(self._rows, self._line + 1):
            self._line = line
            if any(cell != "" for cell in cells):
                yield line, cells + [""] * (len(self.header) - len(cells))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._end()

    def _next(self) -> Any:
        try:
            line = self._lines.readline()
        except RowTooLong:
            line = b""
        if not line.endswith(b"\n"):
            if self._quick:
                raise SlowFile
            raise UnreadableFile(
                _(
                    "The workbook needs more than %d MB of memory, or too much time, to read. Delete empty rows and columns at its end, "
                    "split it, or save the sheet as CSV."
                )
                % settings.IMPORT_MAX_MEMORY_MB
            )
        self.meter.row_ended = True
        return json.loads(line)

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        cast(IO[bytes], self._process.stdout).close()


def _why(sheet: dict[str, Any], most: int) -> str:
    """Explain why a file that begins as a workbook cannot be read."""
    if sheet["fault"] == "unpacked":
        return too_large_unpacked(most)
    if sheet["fault"] == "archive":
        names = ", ".join(sheet["names"])
        return _("This is a ZIP archive of %s. Unpack it and import each file by itself.") % names
    return _("This is not a workbook that can be read. Save it as .xlsx or CSV.")
