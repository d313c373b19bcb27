"""Traces of a person outside of tables: imported and exported files, caught mail, logs, sessions, stored answers."""

from __future__ import annotations

import csv
import gzip
import mmap
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from django.conf import settings
from django.contrib.messages.storage.session import SessionStorage
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.db.models.fields.files import FieldFile

from crm.api.idempotency import forget_answers
from customers.ingest import UnreadableFile, file_type, forget_beginning, open_table
from customers.models import BulkJob, ImportJob
from customers.privacy.data_subject import DataSubject

NAMING = frozenset({"external_id", "customer_id", "email", "phone"})
"""Fields that identify the customer of a row."""

Mapped = Callable[[Sequence[str]], Mapping[str, str]]
"""Maps a header: column → field."""

Step = tuple[str, Callable[[], int]]
"""The name of the data, and the function that erases it and returns how many rows it had."""

GZIP = b"\x1f\x8b"

LOGS = ("*.log", "*/log", "*/*.log")


def steps(subject: DataSubject) -> Iterator[Step]:
    """Yield a step for each place. A step erases the person there and returns the number of lines, mails or entries."""
    for job in ImportJob.objects.exclude(file="").iterator():
        yield "lines of imported files", partial(_without_rows_of_import, job, job.file, subject)
    for job in ImportJob.objects.exclude(_has_none("rejected_file")).iterator():
        yield (
            "lines of rejected rows",
            partial(_without_rows_of_import, job, job.rejected_file, subject),
        )
    for exported in BulkJob.objects.exclude(_has_none("file")).defer("customer_ids").iterator():
        columns = file_type("customers").guess_mapping
        yield (
            "lines of exported files",
            partial(_without_their_rows, exported.file, columns, subject),
        )
    yield "caught mails", partial(_delete_mails, settings.STATE_DIR / "mail", subject)
    if subject.patterns:
        for log in _logs():
            yield "lines of logs", partial(mask, log, subject)
    yield "stored answers to requests", partial(forget_answers, subject.are_mentioned_in)
    yield "sessions", partial(_erase_from_sessions, subject)


def mask(path: Path, subject: DataSubject) -> int:
    """Mask the person in lines of a log with their e-mail or phone; returns the number of lines.

    Each letter becomes an x in place, so that a process that has the log open can write on.
    """
    if not path.stat().st_size:
        return 0
    address = re.compile("|".join(subject.patterns).encode(), re.IGNORECASE)
    words = [re.escape(name) for name in subject.names]
    personal = re.compile("|".join([*subject.patterns, *words]).encode(), re.IGNORECASE)
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
    """Match rows without a file, for which Django writes NULL or an empty name."""
    return Q(**{file: ""}) | Q(**{f"{file}__isnull": True})


def _logs() -> Iterator[Path]:
    for pattern in LOGS:
        yield from (path for path in settings.STATE_DIR.glob(pattern) if path.is_file())


def _delete_mails(folder: Path, subject: DataSubject) -> int:
    """Delete mail to the person that the mail catcher stored."""
    count = 0
    for mail in folder.glob("*.eml"):
        headers = mail.read_bytes().partition(b"\r\n\r\n")[0].decode(errors="replace")
        if subject.are_mentioned_in(headers):
            mail.unlink()
            count += 1
    return count


def _without_rows_of_import(job: ImportJob, file: FieldFile, subject: DataSubject) -> int:
    forget_beginning(job)
    return _without_their_rows(
        file, lambda header: file_type(job.kind).guess_mapping(header) | job.mapping, subject
    )


def _without_their_rows(file: FieldFile, mapped: Mapped, subject: DataSubject) -> int:
    """Rewrite a table without the person's rows and return their number. A file that is not CSV is deleted as a whole."""
    path = Path(file.path)
    if not path.exists():
        return 0
    rest = path.with_name(f"{path.name}.part")
    try:
        count, is_csv = _copy_others(mapped, path, rest, subject)
    except UnreadableFile:
        count, is_csv = 1, False
    if count and is_csv:
        rest.replace(path)
        return count
    rest.unlink(missing_ok=True)
    if count:
        path.unlink()
    return count


def _copy_others(mapped: Mapped, path: Path, rest: Path, subject: DataSubject) -> tuple[int, bool]:
    """Copy the rows of others to `rest`; returns how many were the person's, and whether the file is CSV."""
    with path.open("rb") as raw:
        zipped = raw.read(2) == GZIP
    open_text = gzip.open if zipped else open
    rest.touch(mode=0o600)
    with open_table(path) as table, open_text(rest, "wt", newline="", encoding="utf-8") as copy:
        is_theirs = _recogniser(mapped(table.header), table.header, subject)
        writer = csv.writer(copy)
        writer.writerow(table.header)
        count = 0
        for _line, cells in table:
            if is_theirs(cells):
                count += 1
            else:
                writer.writerow(cells)
        return count, table.format == "csv"


def _recogniser(
    mapping: Mapping[str, str], header: Sequence[str], subject: DataSubject
) -> Callable[[Sequence[str]], bool]:
    """Return a test for the person's rows: their id in a column of ids, or their e-mail or phone anywhere."""
    places = [place for place, column in enumerate(header) if mapping.get(column) in NAMING]
    names = {each.casefold() for each in (*subject.external_ids, *subject.emails, *subject.phones)}

    def is_theirs(cells: Sequence[str]) -> bool:
        return any(str(cells[place]).strip().casefold() in names for place in places) or (
            subject.are_mentioned_in("\n".join(map(str, cells)))
        )

    return is_theirs


def _erase_from_sessions(subject: DataSubject) -> int:
    """Delete waiting messages to staff that name the person, such as "Ada Lovelace was changed"; returns how many sessions had one.

    Sessions are those of staff: few.
    """
    count = 0
    for session in Session.objects.iterator():
        data = session.get_decoded()
        waiting = str(data.get(SessionStorage.session_key, ""))
        if subject.are_mentioned_in(waiting) or any(name in waiting for name in subject.names):
            del data[SessionStorage.session_key]
            Session.objects.filter(pk=session.pk).update(session_data=SessionStore().encode(data))
            count += 1
    return count
