"""Run attribution models on a file of paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.attribution import (
    HALF_LIFE_DAYS,
    MODELS,
    InvalidPathFile,
    Paths,
    attribute,
    read_paths,
)


class Command(BaseCommand):
    help = gettext_lazy("Attribute the conversions of a file of paths by each attribution model.")  # type: ignore[assignment]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--paths", type=Path, required=True, metavar="FILE",
            help=_("path;total_conversions;total_conversion_value;total_null, steps separated by “ > ”"),
        )  # fmt: skip
        parser.add_argument("--model", action="append", choices=MODELS, help=_("default: all"))
        parser.add_argument(
            "--order", type=int, default=1, choices=(1, 2, 3), help=_("order of the Markov chain")
        )
        parser.add_argument(
            "--half-life", type=float, default=HALF_LIFE_DAYS, metavar="DAYS",
            help=_("half-life of time decay; the steps of a path are a day apart"),
        )  # fmt: skip
        parser.add_argument(
            "--value", action="store_true", help=_("attribute the value instead of conversions")
        )

    def handle(
        self,
        *args: Any,
        paths: Path,
        model: list[str] | None,
        order: int,
        half_life: float,
        value: bool,
        **options: Any,
    ) -> None:
        if half_life <= 0:
            raise CommandError(_("Enter a half-life above 0 days."))
        found = _read(paths)
        table = {
            name: {
                credit.touchpoint: credit.value if value else credit.conversions
                for credit in attribute(found, name, half_life_days=half_life, order=order)
            }
            for name in model or MODELS
        }
        for line in _lines(found.names, table):
            self.stdout.write(line)


def _read(file_path: Path) -> Paths:
    try:
        with file_path.open(encoding="utf-8-sig", newline="") as file:
            return Paths.of(read_paths(file))
    except (OSError, UnicodeDecodeError, InvalidPathFile) as error:
        raise CommandError(f"{file_path}: {error}") from error


def _lines(names: list[str], table: dict[str, dict[str, float]]) -> list[str]:
    """Return the table: a row for each touchpoint, a column for each model, and the totals."""
    wide = max([len(name) for name in names] + [10])
    rows = [("", list(table))]
    rows += [(name, [f"{of_model[name]:.2f}" for of_model in table.values()]) for name in names]
    rows += [(_("total"), [f"{sum(of_model.values()):.2f}" for of_model in table.values()])]
    columns = [max(len(cells[at]) for _name, cells in rows) for at in range(len(table))]
    return [
        "  ".join([name.ljust(wide), *(cell.rjust(columns[at]) for at, cell in enumerate(cells))])
        for name, cells in rows
    ]
