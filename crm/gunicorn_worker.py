"""gunicorn's worker with threads, which a request takes once its head has arrived: slow clients wait in the event loop.

gunicorn waits in a thread for the rest of a head, without a limit of time, so that a client for each thread stops the site.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from socket import socket

from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_SECONDS = 10
LARGEST_HEAD = 32 * 1024
"""What nginx accepts by default (large_client_header_buffers)."""
BODY_AHEAD = 64 * 1024
"""Most forms are no larger: they take a thread once they are whole."""
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:", re.IGNORECASE)


class BufferingWorker(ThreadWorker):
    """Collect the head and the beginning of the body of each request, for HEAD_SECONDS at most, before it takes a thread."""

    def enqueue_req(self, conn: TConn) -> None:
        """Wait for the next request of a connection, and count what its client has sent ahead."""
        conn.init()  # without TLS, this makes the parser alone
        conn.received = bytearray(conn.parser.unreader.take_buffered())
        if _is_ready(conn.received):
            self._give_thread(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + HEAD_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def on_pending_socket_readable(self, conn: TConn, client: socket) -> None:
        """Read what has arrived; the base class closes a connection whose timeout is over."""
        try:
            piece = client.recv(BODY_AHEAD)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        conn.received += piece
        is_ready = _is_ready(conn.received)
        if piece and not is_ready and len(conn.received) <= LARGEST_HEAD + BODY_AHEAD:
            return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        if is_ready:
            self._give_thread(conn)
        else:
            self._turn_away(conn, TOO_LARGE if piece else b"")

    def _give_thread(self, conn: TConn) -> None:
        conn.parser.unreader.unread(bytes(conn.received))
        conn.received.clear()
        super().enqueue_req(conn)

    def _turn_away(self, conn: TConn, answer: bytes) -> None:
        self.nr_conns -= 1
        with suppress(OSError):
            conn.sock.send(answer)
        conn.close()


def _is_ready(received: bytearray) -> bool:
    """Return whether the head has arrived, and BODY_AHEAD of the body that its client sends unasked."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = received[: end + 2]
    length = _LENGTH.search(head)
    if not length or _EXPECTS.search(head):
        return True
    return len(received) - (end + 4) >= min(int(length[1]), BODY_AHEAD)
