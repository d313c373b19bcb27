"""Write the first sheet of a workbook with rows as JSON lines, in a process of its own that limits end before a hostile file harms others.

A workbook is read as a whole: two cells in far corners make a table of gigabytes. The first line describes the sheet, or says why there is
none; the last is `null`. Usage: read_workbook.py FILE MEMORY_BYTES CPU_SECONDS UNPACKED_BYTES
"""

from __future__ import annotations

import datetime
import json
import resource
import sys
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile


def main(path: str, memory: int, seconds: int, most_unpacked: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    fault = _fault_of_archive(path, most_unpacked) if is_zipfile(path) else {}
    if fault:
        _write(fault)
        return
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(path)
        sheets = map(book.get_sheet_by_index, range(len(book.sheet_names)))
        sheet = next((each for each in sheets if each.total_height), None)
    except (CalamineError, OSError):
        _write({"fault": "unreadable"})
        return
    first_row = sheet.start[0] if sheet and sheet.start else 0
    _write({"first_row": first_row, "rows": sheet.total_height if sheet else 0})
    for row in sheet.iter_rows() if sheet else ():
        _write([_value(cell) for cell in row])
    _write(None)


def _write(value: Any) -> None:
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")


def _fault_of_archive(path: str, most_unpacked: int) -> dict[str, Any]:
    """Return why an archive is no workbook to open, or nothing."""
    try:
        with ZipFile(path) as archive:
            entries = [each for each in archive.infolist() if not each.is_dir()]
    except BadZipFile:
        return {}
    if sum(each.file_size for each in entries) > most_unpacked:
        return {"fault": "unpacked"}
    names = [each.filename for each in entries]
    if any(name.startswith(("xl/", "content.xml", "[Content_Types]")) for name in names):
        return {}
    return {"fault": "archive", "names": names[:5]}


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


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
