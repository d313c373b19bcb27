"""Bring a file of customers, products or orders in, in the foreground."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from customers.ingest.fields import FIELDS, Refused, guess_mapping
from customers.ingest.files import Table, UnreadableFile
from customers.ingest.load import RejectedRows, load


class Command(BaseCommand):
    help = "Bring a CSV file (also .gz) of customers, products or orders in. Doing it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=list(FIELDS))
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=FIELD",
            help="What a column is, where the guess is wrong; no field ignores it, attributes.NAME keeps it as an attribute.",
        )
        parser.add_argument(
            "--create-missing",
            action="store_true",
            help="Make customers that orders name and that are not known, instead of rejecting the orders.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kind, path = options["kind"], options["file"]
        started = time.monotonic()
        try:
            with Table(path) as table:
                mapping = guess_mapping(kind, table.header)
            _apply(mapping, options["map"])
            rejected_path = Path(settings.MEDIA_ROOT) / "imports" / f"{path.name}-rejected.csv"
            with RejectedRows(rejected_path) as rejected:
                loaded = load(
                    kind,
                    path,
                    mapping,
                    rejected=rejected,
                    evidence=f"import: {path.name}",
                    create_missing=options["create_missing"],
                    progress=self._show_progress,
                )
        except (OSError, UnreadableFile, Refused) as error:
            raise CommandError(str(error)) from error
        finally:
            self._end_progress()
        took = time.monotonic() - started
        self.stdout.write(
            f"{loaded.rows:,} rows in {took:.1f} s: {loaded.created:,} {kind} created, {loaded.updated:,} updated, "
            f"{loaded.unchanged:,} unchanged, {loaded.rejected:,} rows rejected."
        )
        if loaded.rejected:
            self.stdout.write(f"The rejected rows, with the reasons: {rejected_path}")

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


def _apply(mapping: dict[str, str], wanted: list[str]) -> None:
    """Put the person's choices over the guess; a field that they give to another column is taken from the guessed one."""
    for choice in wanted:
        column, sign, field = choice.partition("=")
        if not sign:
            raise CommandError(f"--map {choice}: write it as COLUMN=FIELD.")
        for other, guessed in mapping.items():
            if field and guessed == field:
                mapping[other] = ""
        mapping[column] = field
