"""Export customers as CSV or XLSX, in chunks and in the order of the selection."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.files import File
from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from crm import masking
from crm.api import ids
from crm.api.csv import lines, unescape
from customers.ingest import EXPORTED_ID
from customers.models import BulkJob, Customer, ErasureReceipt

CHUNK = 2_000
FORMATS = {"csv": "CSV", "xlsx": "XLSX"}
COLUMNS = (
    *("external_id", "email", "phone", "first_name", "last_name", "date_of_birth"),
    *("city", "region", "country", "language", "timezone", "source", "lifecycle_status"),
    *("tags", "registered_at", "total_spend", "order_count", "average_order_value"),
    *("visit_count", "first_order_at", "last_order_at", "last_visit_at", "attributes"),
)
HEADER = (EXPORTED_ID, *COLUMNS)

LONGEST_SHEET = 1_048_576
LONGEST_CELL = 32_767

Row = Sequence[Any]


class TooLong(Exception):
    """More rows than a sheet can hold; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            _("An XLSX sheet holds %(most)d rows at most. Export as CSV instead.")
            % {"most": LONGEST_SHEET}
        )


def write(job: BulkJob, report: Callable[[int], None]) -> None:
    """Write the file of an export job; `report` gets the number of written rows. Raises TooLong.

    If somebody is erased meanwhile, the file is written again without them.
    """
    kind = job.options["format"]
    begun = timezone.now()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"customers.{kind}"
        write_file(path, kind, job.customer_ids, report)
        with path.open("rb") as file:
            job.file.save(f"exports/customers-{job.pk}.{kind}", File(file), save=False)
    BulkJob.objects.filter(pk=job.pk).update(file=job.file.name)
    if ErasureReceipt.objects.filter(created_at__gte=begun).exists():
        job.file.delete(save=False)
        write(job, report)


def write_file(
    path: Path, kind: str, customer_ids: Sequence[int], report: Callable[[int], None]
) -> None:
    """Write a file of one of FORMATS in constant memory. Raises TooLong."""
    rows = _rows(customer_ids, report)
    if kind == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines(HEADER, rows))
        return
    if len(customer_ids) >= LONGEST_SHEET:
        raise TooLong
    book = Workbook(write_only=True)
    sheet = book.create_sheet("customers")
    sheet.append(HEADER)
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    book.save(path)


def as_csv(customer_ids: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a CSV file, for a streamed response."""
    return lines(HEADER, _rows(customer_ids, lambda done: None))


def _rows(customer_ids: Sequence[int], report: Callable[[int], None]) -> Iterable[Row]:
    """Yield the rows of customers that still exist."""
    for start in range(0, len(customer_ids), CHUNK):
        chunk = customer_ids[start : start + CHUNK]
        found = {
            row[0]: row for row in Customer.objects.filter(pk__in=chunk).values_list("pk", *COLUMNS)
        }
        yield from (_written(found[pk]) for pk in chunk if pk in found)
        report(start + len(chunk))


def _written(row: Row) -> Row:
    pk, *values = row
    shown = masking.row(Customer, COLUMNS, values)
    return [ids.encode("cus", pk), *map(_plain, shown)]


def _plain(value: Any) -> Any:
    match value:
        case None:
            return ""
        case list():
            has_breaks = any(re.search(r'[,;|"\[]', word) for word in value)
            return json.dumps(value, ensure_ascii=False) if has_breaks else ", ".join(value)
        case dict():
            return json.dumps(value, ensure_ascii=False) if value else ""
        case date():
            return value.isoformat()
    return value


def _cell(sheet: WriteOnlyWorksheet, value: Any) -> Any:
    """Return numbers as numbers, and all else as text that is neither a formula nor invalid in XML, nor read as an escaped one."""
    if isinstance(value, int | Decimal):
        return value
    if not value:
        return None
    value = f"'{value}" if unescape(value) != value else value
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)[:LONGEST_CELL])
    cell.data_type = "s"
    return cell
