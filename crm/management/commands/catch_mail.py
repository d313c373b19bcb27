"""Catch mail on a local SMTP port, for development: each message becomes a file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import uuid
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class MailCatcher:
    """aiosmtpd's handler that keeps messages in `folder`, oldest first by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        store(self.folder, envelope.original_content or b"")
        return "250 Caught"


def store(folder: Path, message: bytes) -> Path:
    """Write one message as an .eml file, whole or not at all; return its path."""
    path = folder / f"{timezone.now():%Y%m%d-%H%M%S-%f}-{uuid.uuid4().hex[:8]}.eml"
    writing = path.with_suffix(".part")
    writing.touch(mode=0o600)
    writing.write_bytes(message)
    writing.replace(path)
    return path


async def catch(folder: Path, port: int, host: str = "127.0.0.1") -> None:
    """Listen until cancelled."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = MailCatcher(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, enable_SMTPUTF8=True, ident=f"catcher {os.getpid()}"), host, port
    )
    async with server:
        await server.serve_forever()


class Command(BaseCommand):
    help = _("Catch mail on a local SMTP port and store each message as a file.")  # type: ignore[assignment]
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
