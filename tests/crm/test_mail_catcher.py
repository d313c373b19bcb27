from __future__ import annotations

import asyncio
import smtplib
import socket
from pathlib import Path

from crm.management.commands.catch_mail import catch


def test_each_message_is_written_to_a_file(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    async def receive() -> None:
        listening = asyncio.ensure_future(catch(tmp_path / "mail", port))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(send_two, port)
        listening.cancel()

    asyncio.run(receive())

    kept = sorted((tmp_path / "mail").iterdir())
    assert [path.suffix for path in kept] == [".eml", ".eml"]
    assert kept[0].read_bytes().startswith(b"Subject: first")


def send_two(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as connection:
        for subject in ("first", "second"):
            connection.sendmail(
                "a@example.com", ["b@example.com"], f"Subject: {subject}\r\n\r\nhello\r\n"
            )
