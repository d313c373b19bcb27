"""A person in files: uploaded imports and their rejected rows, mail that was caught, logs."""

from __future__ import annotations

import csv
import gzip
import mmap
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db.models import Q
from django.db.models.fields.files import FieldFile

from customers.ingest import UnreadableFile, file_type, open_table
from customers.ingest.files.csv_file import CsvTable
from customers.models import BulkJob, ImportJob
from customers.privacy.data_subject import Person

NAMING = frozenset({"external_id", "customer_id", "email", "phone"})
"""Fields that say whose row it is."""

Mapped = Callable[[Sequence[str]], Mapping[str, str]]
"""Of a header: column → field."""

Step = tuple[str, Callable[[], int]]
"""What is removed, and the function that removes it and returns how many."""

GZIP = b"\x1f\x8b"

LOGS = ("*.log", "*/log", "*/*.log")


def steps(person: Person) -> Iterator[Step]:
    """Yield a step for each file and folder; run, it removes the person and returns from how many lines or mails."""
    for job in ImportJob.objects.exclude(file="").iterator():
        yield "lines of imported files", partial(_without_rows_of_import, job, job.file, person)
    for job in ImportJob.objects.exclude(_has_none("rejected_file")).iterator():
        yield (
            "lines of rejected rows",
            partial(_without_rows_of_import, job, job.rejected_file, person),
        )
    for exported in BulkJob.objects.exclude(_has_none("file")).defer("customer_ids").iterator():
        columns = file_type("customers").guess_mapping
        yield (
            "lines of exported files",
            partial(_without_their_rows, exported.file, columns, person),
        )
    yield "caught mails", partial(_delete_mails, settings.STATE_DIR / "mail", person)
    if person.patterns:
        for log in _logs():
            yield "lines of logs", partial(mask, log, person)


def mask(path: Path, person: Person) -> int:
    """Blot out the person in the lines of a log that have an address of theirs; returns how many lines.

    Each letter becomes an x where it stands, so that whoever has the log open can go on writing.
    """
    if not path.stat().st_size:
        return 0
    address = re.compile("|".join(person.patterns).encode(), re.IGNORECASE)
    words = [re.escape(name) for name in person.names]
    personal = re.compile("|".join([*person.patterns, *words]).encode(), re.IGNORECASE)
    lines = 0
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        for found in list(address.finditer(content)):
            start = content.rfind(b"\n", 0, found.start()) + 1
            end = content.find(b"\n", found.end())
            line = content[start : end if end >= 0 else len(content)]
            content[start : start + len(line)] = personal.sub(
                lambda part: b"x" * len(part.group()), line
            )
            lines += 1
    return lines


def _has_none(file: str) -> Q:
    """Rows without that file: Django writes an empty name where it saves a row without one."""
    return Q(**{file: ""}) | Q(**{f"{file}__isnull": True})


def _logs() -> Iterator[Path]:
    for pattern in LOGS:
        yield from (path for path in settings.STATE_DIR.glob(pattern) if path.is_file())


def _delete_mails(folder: Path, person: Person) -> int:
    """Mail to the person that went no further than this machine."""
    count = 0
    for mail in folder.glob("*.eml"):
        headers = mail.read_bytes().partition(b"\r\n\r\n")[0].decode(errors="replace")
        if person.are_mentioned_in(headers):
            mail.unlink()
            count += 1
    return count


def _without_rows_of_import(job: ImportJob, file: FieldFile, person: Person) -> int:
    return _without_their_rows(
        file, lambda header: file_type(job.kind).guess_mapping(header) | job.mapping, person
    )


def _without_their_rows(file: FieldFile, mapped: Mapped, person: Person) -> int:
    """Write the table again without the person's rows; how many those were. What is no CSV goes as a whole."""
    path = Path(file.path)
    if not path.exists():
        return 0
    rest = path.with_name(f"{path.name}.part")
    try:
        count, is_csv = _copy_others(mapped, path, rest, person)
    except UnreadableFile:
        count, is_csv = 1, False
    if count and is_csv:
        rest.replace(path)
        return count
    rest.unlink(missing_ok=True)
    if count:
        path.unlink()
    return count


def _copy_others(mapped: Mapped, path: Path, rest: Path, person: Person) -> tuple[int, bool]:
    """How many rows are the person's, the others being in `rest` now; and whether the file is a CSV, as `rest` is."""
    with path.open("rb") as raw:
        zipped = raw.read(2) == GZIP
    open_text = gzip.open if zipped else open
    with open_table(path) as table, open_text(rest, "wt", newline="", encoding="utf-8") as copy:
        is_theirs = _recogniser(mapped(table.header), table.header, person)
        writer = csv.writer(copy)
        writer.writerow(table.header)
        count = 0
        for _line, cells in table:
            if is_theirs(cells):
                count += 1
            else:
                writer.writerow(cells)
        return count, isinstance(table, CsvTable)


def _recogniser(
    mapping: Mapping[str, str], header: Sequence[str], person: Person
) -> Callable[[Sequence[str]], bool]:
    """Whether a row is the person's: an id of theirs stands where ids stand, or an address of theirs anywhere."""
    places = [place for place, column in enumerate(header) if mapping.get(column) in NAMING]
    names = {each.casefold() for each in (*person.external_ids, *person.emails, *person.phones)}

    def is_theirs(cells: Sequence[str]) -> bool:
        return any(str(cells[place]).strip().casefold() in names for place in places) or (
            person.are_mentioned_in("\n".join(map(str, cells)))
        )

    return is_theirs
