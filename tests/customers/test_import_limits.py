"""Files that unpack to gigabytes, or have endless rows, are refused with a reason, and fill no memory."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from crm import jobs
from customers.ingest import UnreadableFile, open_table, queue_import, sample
from customers.models import ImportJob

MIB = 1024 * 1024
MOST_MIB = 700
"""A process has 140 before it reads; a row of 16 MB of small cells takes about 350."""

READ_ALL = """
import json, pathlib, re, sys
import django
django.setup()
from customers.ingest import UnreadableFile, open_table, sample
for path in sys.argv[1:]:
    try:
        sample(path)
        with open_table(path) as table:
            rows = sum(1 for _row in table)
        print(json.dumps([path, f"{rows} rows"]), flush=True)
    except UnreadableFile as error:
        print(json.dumps([path, str(error)]), flush=True)
# not ru_maxrss, which a process takes over from the one that started it
peak = re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())
print(json.dumps(["peak", int(peak[1]) // 1024]))
"""
OFFICE = "http://schemas.openxmlformats.org"
PACKAGE, MAIN = f"{OFFICE}/package/2006", f"{OFFICE}/spreadsheetml/2006/main"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
CONTENT_TYPES = f"""<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{SHEET_TYPE}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SHEET_TYPE}.worksheet+xml"/></Types>"""
RELATION = f"""<Relationships xmlns="{PACKAGE}/relationships">
<Relationship Id="rId1" Type="{OFFICE}/officeDocument/2006/relationships/%s" Target="%s"/></Relationships>"""
WORKBOOK = f"""<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}/officeDocument/2006/relationships">
<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>"""
SHEET = f'<worksheet xmlns="{MAIN}"><sheetData>'
LONG_CELL = b"a" * MIB + b",b\n"


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def xlsx(path: Path, parts: Iterator[str]) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("_rels/.rels", RELATION % ("officeDocument", "xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", WORKBOOK)
        archive.writestr(
            "xl/_rels/workbook.xml.rels", RELATION % ("worksheet", "worksheets/sheet1.xml")
        )
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(SHEET.encode())
            for part in parts:
                sheet.write(part.encode())
            sheet.write(b"</sheetData></worksheet>")
    return path


def packed(path: Path, start: bytes, block: bytes, times: int) -> Path:
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.write(start)
        for _each in range(times):
            file.write(block)
    return path


def bombs(folder: Path) -> dict[Path, str]:
    """Write files that harm a careless reader; return a part of the answer to each."""
    row = f"<row>{cell('A2', 'x' * 2000)}</row>" * 1000
    corner = (
        f'<row r="1">{cell("A1", "email")}</row><row r="1048576">{cell("XFD1048576", "x")}</row>'
    )
    long_row = "row is larger than 16 MB"
    return {
        packed(folder / "zeros.csv.gz", b"email\n", b"\0" * MIB, 20): long_row,
        packed(folder / "cells.csv.gz", b"email\n", b"," * MIB, 20): long_row,
        packed(folder / "quote.csv.gz", b'email\n"', b"x\n" * MIB, 12): long_row,
        packed(folder / "lines.csv.gz", b"email\n", b'"\n",' * MIB, 15): long_row,
        packed(folder / "header.csv.gz", b"email", b",a" * MIB, 12): long_row,
        packed(folder / "ratio.csv.gz", b"email\n", LONG_CELL * 64, 2): "more than 64 MB",
        packed(folder / "large.csv.gz", b"email,name\n", LONG_CELL, 40): "40 rows",
        packed(folder / "line.jsonl.gz", b'{"email": [', b"[]," * MIB, 4): "not a JSON object",
        xlsx(folder / "unpacked.xlsx", iter([row] * 100)): "unpacks to more than",
        xlsx(folder / "corner.xlsx", iter([corner])): "Delete empty rows and columns",
    }


def test_bombs_are_refused_within_memory(tmp_path: Path) -> None:
    expected = bombs(tmp_path)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "crm.settings"}

    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, *map(str, expected)],
        env=environment, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip

    *answers, (_peak, peak) = map(json.loads, done.stdout.splitlines())
    assert {
        Path(path).name: reason for path, reason in answers if expected[Path(path)] not in reason
    } == {}
    assert len(answers) == len(expected)
    assert peak < MOST_MIB, f"{peak} MiB"


def test_a_table_with_too_many_columns_is_refused(tmp_path: Path, settings: Settings) -> None:
    settings.IMPORT_MAX_COLUMNS = 3
    wide = tmp_path / "wide.csv"
    wide.write_text("a,b,c,d\n1,2,3,4\n")
    with pytest.raises(UnreadableFile, match="more than 3 columns"):
        sample(wide)
    wide.write_text('{"a": 1, "b": 2, "c": 3, "d": 4}\n')
    with pytest.raises(UnreadableFile, match="more than 3 columns"):
        sample(wide)
    wide.write_text("a,b,c\n1,2,3\n")
    assert sample(wide).header == ["a", "b", "c"]


def test_reading_ends_in_time(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "1,2\n" * MIB)
    with pytest.raises(UnreadableFile, match="Split it"):
        open_table(path, seconds=1e-9)


def test_a_workbook_without_enough_memory_is_refused(tmp_path: Path, settings: Settings) -> None:
    rows = (
        f'<row r="{n}">{cell(f"A{n}", "email")}{cell(f"B{n}", "x")}</row>' for n in range(1, 50)
    )
    path = xlsx(tmp_path / "small.xlsx", rows)
    assert sample(path).header == ["email", "x"]
    settings.IMPORT_MAX_MEMORY_MB = 16
    with pytest.raises(UnreadableFile, match="more than 16 MB of memory"):
        sample(path)


def test_large_rows_are_read_in_small_batches(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_text("a,b\n" + ("x" * MIB + ",y\n") * 100)
    assert len(sample(path).rows) < 40


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "limit", "reason"),
    [("IMPORT_MAX_ROWS", 2, "more than 2 rows"), ("IMPORT_MAX_MINUTES", 1e-6, "Split it")],
)
def test_an_import_beyond_a_limit_fails_with_the_reason(
    tmp_path: Path, settings: Settings, name: str, limit: float, reason: str
) -> None:
    settings.MEDIA_ROOT = tmp_path
    file = ContentFile(b"email\na@example.com\nb@example.com\nc@example.com\n", "people.csv")
    job = ImportJob.objects.create(kind="customers", name=file.name, file=file)
    queue_import(job, {"email": "email"})
    setattr(settings, name, limit)

    jobs.run(job)

    job.refresh_from_db()
    assert job.state == ImportJob.State.FAILED
    assert reason in job.error
