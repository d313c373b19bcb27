"""A real SMTP server for tests: it logs accepted messages and refuses configured addresses."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread

from aiosmtpd.smtp import SMTP, Envelope, Session

logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd's, several lines a message


class Sink:
    """What `arrived`, as address and content, in order.

    `refusals` maps an address to the reply at RCPT, `everyone` is that for all, and `over_limit` that after so many messages as it
    `takes`; `asked` counts recipients. `after_data` maps to the reply after DATA. "hang" never answers, and after DATA "drop" hangs up
    without an answer.
    """

    def __init__(self) -> None:
        self.arrived: list[tuple[str, bytes]] = []
        self.refusals: dict[str, str] = {}
        self.everyone = ""
        self.takes: int | None = None
        self.over_limit = ""
        self.asked = 0
        self.connections = 0
        self.after_data: dict[str, str] = {}
        self.port = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def recipients(self) -> Counter[str]:
        return Counter(address for address, _content in self.arrived)

    def messages(self) -> list[EmailMessage]:
        return [
            message_from_bytes(content, _class=EmailMessage, policy=policy.default)
            for _address, content in self.arrived
        ]

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        self.asked += 1
        is_over = self.takes is not None and len(self.arrived) >= self.takes
        over_limit = self.over_limit if is_over else ""
        if refusal := self.everyone or over_limit or self.refusals.get(address, ""):
            if refusal == "hang":
                await asyncio.sleep(3600)
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        address = envelope.rcpt_tos[0]
        answer = self.after_data.get(address, "250 OK")
        if answer in {"drop", "hang"} or answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.arrived.append((address, envelope.content))
        if answer == "hang":
            await asyncio.sleep(3600)
        if answer == "drop":
            assert server.transport is not None
            server.transport.abort()
        return answer


@contextmanager
def running(sink: Sink) -> Iterator[Sink]:
    """Serve on a free port, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def serve() -> SMTP:
        sink.connections += 1
        return SMTP(sink, loop=loop)

    serving = loop.create_server(serve, "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(serving, loop).result(5)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(server.close)  # the loop's own connections end in its thread, too
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
