"""Attribution models on a file of paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.attribution import MODELS, Journeys, attribute, path_file
from analytics.attribution.credit import HALF_LIFE_DAYS


class Command(BaseCommand):
    help = gettext_lazy("Share out the conversions of a file of paths by each attribution model.")  # type: ignore[assignment]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--paths", type=Path, required=True, metavar="FILE",
            help=_("path;total_conversions;total_conversion_value;total_null, steps split by “ > ”"),
        )  # fmt: skip
        parser.add_argument("--model", action="append", choices=MODELS, help=_("default: all"))
        parser.add_argument("--order", type=int, default=1, choices=(1, 2, 3), help=_("of Markov"))
        parser.add_argument(
            "--half-life", type=float, default=HALF_LIFE_DAYS, metavar="DAYS",
            help=_("of time decay; the steps of a path are taken to be a day apart"),
        )  # fmt: skip
        parser.add_argument(
            "--value", action="store_true", help=_("share out the value instead of conversions")
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
            raise CommandError(_("A half-life is longer than 0 days."))
        journeys = _read(paths)
        table = {
            name: {
                credit.touchpoint: credit.value if value else credit.conversions
                for credit in attribute(journeys, name, half_life_days=half_life, order=order)
            }
            for name in model or MODELS
        }
        for line in _lines(journeys.names, table):
            self.stdout.write(line)


def _read(paths: Path) -> Journeys:
    try:
        with paths.open(encoding="utf-8-sig", newline="") as file:
            return Journeys.of(path_file.read(file))
    except (OSError, UnicodeDecodeError, path_file.BadPathFile) as error:
        raise CommandError(f"{paths}: {error}") from error


def _lines(names: list[str], table: dict[str, dict[str, float]]) -> list[str]:
    """A row a touchpoint, a column a model, and the sums."""
    wide = max([len(name) for name in names] + [10])
    rows = [("", list(table))]
    rows += [(name, [f"{of_model[name]:.2f}" for of_model in table.values()]) for name in names]
    rows += [(_("total"), [f"{sum(of_model.values()):.2f}" for of_model in table.values()])]
    columns = [max(len(cells[at]) for _name, cells in rows) for at in range(len(table))]
    return [
        "  ".join([name.ljust(wide), *(cell.rjust(columns[at]) for at, cell in enumerate(cells))])
        for name, cells in rows
    ]
