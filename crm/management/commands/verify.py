"""Try a running site end to end, and exit with 1 if a check fails."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.verify import verify


class Command(BaseCommand):
    help = gettext_lazy(  # type: ignore[assignment]
        "Check the parts and the data of a running site, deliver one simulated message, follow its events, and delete it all again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        port = os.environ.get("PORT") or 8000
        parser.add_argument(
            "--url",
            default=f"http://127.0.0.1:{port}",
            help=_("the address of the site (default: %(default)s)"),
        )
        parser.add_argument(
            "--wait", type=float, default=60, help=_("seconds to wait for each check")
        )

    def handle(self, *args: Any, url: str, wait: float, **options: Any) -> None:
        passed = True
        try:
            for result in verify(url, seconds=wait):
                passed = passed and result.passed
                mark = self.style.SUCCESS("✓") if result.passed else self.style.ERROR("✗")
                self.stdout.write(f"{mark} {result.name}: {result.detail}")
                self.stdout.flush()
        except (OperationalError, ProgrammingError) as error:
            said = (
                _("The database of this command is not ready: %s") % str(error).partition("\n")[0]
            )
            advice = _("Start the site, or run manage.py migrate.")
            raise CommandError(f"{said} {advice}") from error
        if not passed:
            sys.exit(1)
