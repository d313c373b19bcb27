"""A mail server that accepts everything and stores nothing: postfix's smtp-sink where it is installed, else the one below.

python -m benchmarks.smtp_sink [SECONDS]    prints its port; answers each message after so many seconds
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

END_OF_DATA = b"\r\n.\r\n"
EHLO = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
OK = b"250 2.0.0 Ok\r\n"


class Dialogue(asyncio.Protocol):
    """One SMTP session (RFC 5321), with PIPELINING (RFC 2920)."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._unread = b""
        self._in_message = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._unread += data
        answers = b""
        while True:
            end = END_OF_DATA if self._in_message else b"\r\n"
            taken, found, rest = self._unread.partition(end)
            if not found:
                break
            self._unread = rest
            answers += self._taken() if self._in_message else self._answer(taken)
        if answers:
            self._transport.write(answers)

    def _taken(self) -> bytes:
        self._in_message = False
        if not self._latency:
            return OK
        asyncio.get_running_loop().call_later(self._latency, self._transport.write, OK)
        return b""

    def _answer(self, line: bytes) -> bytes:
        match line[:4].upper():
            case b"EHLO" | b"HELO":
                return EHLO
            case b"DATA":
                self._in_message = True
                return b"354 Go ahead\r\n"
            case b"QUIT":
                self._transport.write(b"221 Bye\r\n")
                self._transport.close()
                return b""
            case _:
                return OK


async def serve(latency: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Dialogue(latency), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running(latency: float = 0.0) -> Iterator[int]:
    """Run a sink in a process of its own; yield its local port."""
    if not latency and (smtp_sink := shutil.which("smtp-sink")):
        port = _free_port()
        process = subprocess.Popen([smtp_sink, f"127.0.0.1:{port}", "100"])
        _wait_for(port)
    else:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.smtp_sink", str(latency)], stdout=subprocess.PIPE
        )
        assert process.stdout
        port = int(process.stdout.readline())
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def _wait_for(port: int) -> None:
    for _attempt in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("smtp-sink did not come up")


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
