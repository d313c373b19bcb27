"""An SMTP server that delivers nothing: each message becomes a file."""

from __future__ import annotations

import asyncio
import os
import uuid
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.utils import timezone


class MailCatcher:
    """aiosmtpd's handler that keeps messages in `folder`, oldest first by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        keep(self.folder, envelope.original_content or b"")
        return "250 Caught"


def keep(folder: Path, message: bytes) -> Path:
    """Write one message as an .eml file, whole or not at all; return its path."""
    path = folder / f"{timezone.now():%Y%m%d-%H%M%S-%f}-{uuid.uuid4().hex[:8]}.eml"
    writing = path.with_suffix(".part")
    writing.write_bytes(message)
    writing.replace(path)
    return path


async def catch(folder: Path, port: int, host: str = "127.0.0.1") -> None:
    """Listen until cancelled."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = MailCatcher(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, enable_SMTPUTF8=True, ident=f"catcher {os.getpid()}"), host, port
    )
    async with server:
        await server.serve_forever()
