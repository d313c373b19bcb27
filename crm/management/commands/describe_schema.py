"""Write tables, columns and diagrams of the database as Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.database_description import describe


class Command(BaseCommand):
    help = gettext_lazy(  # type: ignore[assignment]
        "Write the tables, columns and entity-relationship diagrams of the database as Markdown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, required=True, help=_("the file to write"))

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        file.write_text(describe())
