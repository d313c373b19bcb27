"""A file into the database, whatever its kind: read, clean, write in batches, and hand back what was rejected and why."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from django.utils.translation import gettext as _

from crm.api.csv import escape
from customers.ingest import orders
from customers.ingest.fields import REJECTED_COLUMNS, Refused, check_mapping
from customers.ingest.files import Table
from customers.ingest.products import clean_product, upsert_products
from customers.ingest.upsert import Outcome, Result, clean_customer, upsert_customers

BATCH = 5_000
REPORT_EVERY = 5_000

Progress = Callable[[str, float], None]
"""Called with the stage (reading, assembling, writing) and the progress over all of them, 0 to 1."""


@dataclass(slots=True)
class Loaded:
    """What became of the rows of a file; of orders, `created`, `updated` and `unchanged` count orders, the others lines."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0


class RejectedRows:
    """Writes the rows that were not taken, as they were, with their line and the reason. No such row, no file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: Any = None

    def add(self, header: Sequence[str], cells: Sequence[str], line: int, reason: str) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", newline="", encoding="utf-8")
            self._writer = csv.writer(self._file)
            self._writer.writerow([*map(escape, header), *REJECTED_COLUMNS])
        padded = [*cells, *[""] * (len(header) - len(cells))][: len(header)]
        self._writer.writerow(
            [*(escape(cell.replace("\x00", "")) for cell in padded), line, reason]
        )
        self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()


def load(
    kind: str,
    path: str | Path,
    mapping: Mapping[str, str],
    *,
    rejected: RejectedRows,
    evidence: str,
    create_missing: bool = False,
    progress: Progress = lambda stage, done: None,
) -> Loaded:
    """Bring a file in; doing it again changes nothing more. Raises files.UnreadableFile, and Refused for a mapping that does not fit.

    What was written before an error stays; the whole can be repeated.
    """
    with Table(path) as table:
        check_mapping(kind, mapping, table.header)
        if kind == "orders":
            return _load_orders(table, mapping, rejected, create_missing, evidence, progress)
        return _load_by_batches(kind, table, mapping, rejected, evidence, progress)


def _load_by_batches(
    kind: str,
    table: Table,
    mapping: Mapping[str, str],
    rejected: RejectedRows,
    evidence: str,
    progress: Progress,
) -> Loaded:
    loaded = Loaded()
    rows = iter(table)
    give = _giver(table, mapping)
    while batch := list(islice(rows, BATCH)):
        taken, cleaned = [], []
        for line, cells in batch:
            try:
                cleaned.append(_cleaners[kind](give(cells)))
                taken.append((line, cells))
            except ValueError as error:
                rejected.add(table.header, cells, line, str(error))
        results = _write(kind, cleaned, evidence)
        for (line, cells), result in zip(taken, results, strict=True):
            if result.outcome is Outcome.FAILED:
                rejected.add(table.header, cells, line, result.reason)
            else:
                setattr(loaded, result.outcome, getattr(loaded, result.outcome) + 1)
        loaded.rows += len(batch)
        progress("writing", table.progress)
    loaded.rejected = rejected.count
    return loaded


_cleaners: dict[str, Callable[[Mapping[str, object]], dict[str, Any]]] = {
    "customers": clean_customer,
    "products": clean_product,
}


def _write(kind: str, rows: list[dict[str, Any]], evidence: str) -> list[Result]:
    return (
        upsert_customers(rows, evidence=evidence) if kind == "customers" else upsert_products(rows)
    )


def _load_orders(
    table: Table,
    mapping: Mapping[str, str],
    rejected: RejectedRows,
    create_missing: bool,
    evidence: str,
    progress: Progress,
) -> Loaded:
    loaded = Loaded()
    with orders.staging() as staging:
        staging.add(_lines(table, mapping, loaded, progress))
        progress("assembling", 0.42)
        staging.assemble(create_missing=create_missing, evidence=evidence)
        progress("writing", 0.5)
        counts = staging.write(progress=lambda done: progress("writing", 0.5 + done / 2))
        loaded.created, loaded.updated, loaded.unchanged = (
            counts.created,
            counts.updated,
            counts.unchanged,
        )
        _pick_out(table.path, staging.refused(), rejected)
    loaded.rejected = rejected.count
    return loaded


def _lines(
    table: Table,
    mapping: Mapping[str, str],
    loaded: Loaded,
    progress: Progress,
) -> Iterator[orders.Line | orders.RefusedLine]:
    give = _giver(table, mapping)
    id_column = next(column for column, field in mapping.items() if field == "order_id")
    id_place = table.header.index(id_column)
    for line, cells in table:
        loaded.rows += 1
        try:
            yield orders.clean_line(line, give(cells))
        except ValueError as error:
            yield orders.refused_line(line, cells[id_place], error)
        if loaded.rows % REPORT_EVERY == 0:
            progress("reading", table.progress * 0.4)


def _pick_out(path: Path, refused: Iterator[tuple[int, str]], rejected: RejectedRows) -> None:
    """Read the file again for the rows at these lines, where there are any."""
    wanted = next(refused, None)
    if wanted is None:
        return
    with Table(path) as table:
        for line, cells in table:
            if line == wanted[0]:
                rejected.add(table.header, cells, line, wanted[1])
                wanted = next(refused, None)
                if wanted is None:
                    return


def _giver(table: Table, mapping: Mapping[str, str]) -> Callable[[Sequence[str]], dict[str, str]]:
    """From the cells of a row, what is given for which field. Raises Refused for a row that is too long."""
    fields = [mapping.get(column, "") for column in table.header]
    width = len(fields)

    def give(cells: Sequence[str]) -> dict[str, str]:
        if len(cells) > width and any(cells[width:]):
            raise Refused(
                _("The row has %(cells)d cells where the header has %(columns)d.")
                % {"cells": len(cells), "columns": width}
            )
        given = dict(zip(fields, cells, strict=False))
        given.pop("", None)
        return given

    return give
