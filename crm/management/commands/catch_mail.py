from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext_lazy as _

from crm.mail_catcher import catch


class Command(BaseCommand):
    help = _("Take mail on an SMTP port of this machine and keep each message as a file.")  # type: ignore[assignment]
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=1025)
        parser.add_argument("--folder", type=Path, default=settings.STATE_DIR / "mail")

    def handle(self, *args: Any, port: int, folder: Path, **options: Any) -> None:
        with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
            asyncio.run(_until_told(folder, port))


async def _until_told(folder: Path, port: int) -> None:
    listening = asyncio.ensure_future(catch(folder, port))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, listening.cancel)
    await listening
