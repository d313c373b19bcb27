"""Import a file in the foreground."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from dataclasses import asdict
from getpass import getuser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from customers.ingest import (
    CONSENT,
    DATES,
    DECIMAL_SIGNS,
    PREVIEWED_ROWS,
    ConsentAnswers,
    ConsentQuestion,
    FileType,
    Loaded,
    Refused,
    RejectedRows,
    Sample,
    UnclearDates,
    file_type,
    file_type_names,
    load_file,
    preview_file,
    reading_of,
    sample,
)

EXAMPLES = 3
ANSWERS_HELP = "Use --map COLUMN=FIELD, --consent-value CELL=ANSWER, or --ignore-consent for columns that state nothing."

DATES_HELP = "Use --dates, or set DATE_ORDER for every file of this site."


class Command(BaseCommand):
    help = "Import a file: CSV, TSV or JSON lines (also .gz), or a spreadsheet. Importing it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=file_type_names())
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=FIELD",
            help="Correct the guessed field of a column; no field ignores it, attributes.NAME stores it as an attribute.",
        )
        parser.add_argument(
            "--create-missing",
            action="store_true",
            help="Create customers that orders name but that do not exist, instead of rejecting the orders.",
        )

        parser.add_argument(
            "--consent-value",
            action="append",
            default=[],
            metavar="CELL=ANSWER",
            help="What a cell of a column of consent means: opted_in, opted_out or nothing.",
        )
        parser.add_argument(
            "--ignore-consent",
            action="store_true",
            help="Unclear columns state nothing about consent.",
        )
        parser.add_argument(
            "--new-consent",
            metavar="EVIDENCE",
            help="Import opt-ins without a date as a new consent, which undoes older opt-outs; say how it was given.",
        )
        parser.add_argument(
            "--given-at", metavar="TIME", help="When the new consent was given, in ISO 8601."
        )
        parser.add_argument(
            "--store",
            default="",
            help="Store of orders whose row has none; ids are unique in a store.",
        )
        parser.add_argument("--encoding", help="Encoding of the file; detected by default.")
        parser.add_argument("--delimiter", help="Separator of cells; detected by default.")
        parser.add_argument(
            "--dates",
            choices=DATES,
            help="What 1/2/2025 means; detected by default, for each column.",
        )
        parser.add_argument(
            "--decimal-sign",
            choices=DECIMAL_SIGNS,
            help="The sign before decimals; detected by default, for each column.",
        )
        parser.add_argument(
            "--preview",
            action="store_true",
            help="Show the detected format, the first rows, and how many rows would be created, updated and rejected; write nothing.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kind, path = file_type(options["kind"]), options["file"]
        started = time.monotonic()
        try:
            reading = reading_of(options)
            seen = sample(path, reading)
            mapping = kind.guess_mapping(seen.header, seen.rows)
            _apply(mapping, options["map"])
            answers = _answers(options)
            kind.check_beginning(seen, mapping, answers, asks_dates=not options["preview"])
            if options["preview"]:
                self._show(kind, seen, mapping)
                try:
                    kind.check_dates(seen.header, mapping, seen.formats)
                except UnclearDates as question:
                    self.stdout.write(f"{question} {DATES_HELP}")
                    return
                self._show_preview(
                    preview_file(
                        kind,
                        path,
                        mapping,
                        evidence="preview",
                        reading=reading,
                        create_missing=options["create_missing"],
                        store=options["store"],
                        consent=answers,
                    )
                )
                return
            rejected_path = Path(settings.MEDIA_ROOT) / "imports" / f"{path.name}-rejected.csv"
            with RejectedRows(rejected_path) as rejected:
                loaded = load_file(
                    kind,
                    path,
                    mapping,
                    rejected=rejected,
                    evidence="; ".join(
                        filter(None, (f"import: {path.name}", answers.evidence_by(getuser())))
                    ),
                    reading=reading,
                    create_missing=options["create_missing"],
                    store=options["store"],
                    progress=self._show_progress,
                    consent=answers,
                )
        except ConsentQuestion as question:
            raise CommandError(f"{question} {ANSWERS_HELP}") from question
        except (OSError, ValueError) as error:
            is_about_dates = isinstance(error, Refused) and error.field == "dates"
            raise CommandError(f"{error} {DATES_HELP}" if is_about_dates else str(error)) from error
        finally:
            self._end_progress()
        took = time.monotonic() - started
        things = kind.name.replace("_", " ")
        self.stdout.write(
            f"{loaded.rows:,} rows in {took:.1f} s: {loaded.created:,} {things} created, {loaded.updated:,} updated, "
            f"{loaded.unchanged:,} unchanged, {loaded.rejected:,} rows rejected."
        )
        if loaded.opt_outs_kept:
            self.stdout.write(
                f"{loaded.opt_outs_kept:,} unchanged opt-outs: the file only restates an older opt-in. See --new-consent."
            )
        if loaded.unread_cells:
            cells = ", ".join(f"{name}: {number:,}" for name, number in loaded.unread_cells.items())
            self.stdout.write(
                f"Cells that could not be used ({cells}) became attributes where possible."
            )
        if not rejected.is_empty:
            self.stdout.write(f"Rejected rows, with reasons: {rejected_path}")

    def _show(self, kind: FileType, seen: Sample, mapping: dict[str, str]) -> None:
        read = " ".join(
            f"{name}={value!r}" for name, value in asdict(seen.reading).items() if value
        )
        self.stdout.write(f"{seen.format} {read}")
        if name := kind.export_name(seen.header):
            self.stdout.write(f"Looks like an export of {name}.")
        for place, column in enumerate(seen.header):
            examples = " | ".join(str(cells[place])[:40] for cells in seen.rows[:EXAMPLES])
            how = kind.describe_format(mapping[column], seen.formats[place])
            self.stdout.write(
                f"  {column} → {mapping[column] or '(ignored)'}{how and f' ({how})'}: {examples}"
            )

    def _show_preview(self, loaded: Loaded) -> None:
        first = f"the first {loaded.rows:,} rows" if loaded.rows >= PREVIEWED_ROWS else "the file"
        self.stdout.write(
            f"Of {first}, {loaded.created:,} would be created, {loaded.updated:,} updated, {loaded.unchanged:,} unchanged "
            f"and {loaded.rejected:,} rejected. Nothing is written."
        )
        for reason, number in sorted(loaded.reasons.items(), key=lambda each: -each[1]):
            self.stdout.write(f"  {number:,} × {reason}")

    def _show_progress(self, stage: str, done: float) -> None:
        if sys.stderr.isatty():
            filled = int(done * 30)
            self.stderr.write(
                f"\r{stage:<11} [{'#' * filled}{'.' * (30 - filled)}] {done:4.0%} ", ending=""
            )
            self.stderr.flush()

    def _end_progress(self) -> None:
        if sys.stderr.isatty():
            self.stderr.write("\r" + " " * 60 + "\r", ending="")


def _answers(options: dict[str, Any]) -> ConsentAnswers:
    return ConsentAnswers.of(
        {
            "values": dict(choice.rpartition("=")[::2] for choice in options["consent_value"]),
            "columns": [choice.partition("=")[0] for choice in options["map"]],
            "ignore_columns": options["ignore_consent"],
            "evidence": options["new_consent"],
            "given_at": options["given_at"],
        }
    )


def _apply(mapping: dict[str, str], wanted: list[str]) -> None:
    """Correct the guessed mapping; a field given to another column is removed from the guessed one."""
    for choice in wanted:
        column, sign, field = choice.partition("=")
        if not sign:
            raise CommandError(f"--map {choice}: write it as COLUMN=FIELD.")
        for other, guessed in mapping.items():
            if field and guessed == field and field not in CONSENT:
                mapping[other] = ""
        mapping[column] = field
