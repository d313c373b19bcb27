"""Write the Postman collection of the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.generators import SchemaGenerator

from crm.api.postman import collection


class Command(BaseCommand):
    help = gettext_lazy(  # type: ignore[assignment]
        "Write a Postman collection of the OpenAPI description."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, required=True, help=_("the file to write"))

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        made = collection(dict(SchemaGenerator().get_schema(public=True)))
        file.write_text(json.dumps(made, indent=1, ensure_ascii=False, default=str) + "\n")
