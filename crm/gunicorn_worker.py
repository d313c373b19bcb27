"""gunicorn's worker with threads, which slow clients do not hold: their requests and answers wait in the event loop.

gunicorn reads and writes in a thread, so that a client for each thread stops the site. Here a request takes a thread once it has arrived
as a whole, and gives it back once its answer is computed; the event loop sends what the client has not read yet. A proxy that buffers
(docker-compose.yml) does the same for far more clients.
"""

from __future__ import annotations

import os
import re
import resource
import time
from concurrent.futures import Future
from contextlib import suppress
from enum import Enum, auto
from functools import partial
from io import SEEK_END
from selectors import EVENT_READ, EVENT_WRITE
from socket import SHUT_WR, socket
from tempfile import SpooledTemporaryFile
from types import SimpleNamespace
from typing import IO, Any

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_SECONDS = 10
STALLED_SECONDS = 10
"""The longest time between two pieces of a body, or of an answer that the client reads."""
LINGER_SECONDS = 2
DISCARD_SECONDS = 10
"""How long the rest of a body is discarded that nobody wants: most clients read an answer only when they have sent everything."""
LARGEST_HEAD = 32 * 1024
"""What nginx accepts by default (large_client_header_buffers)."""
BODY_AHEAD = 16 * 1024 * 1024
"""More than any body but an uploaded file may have: with so much of a file, the request takes a thread, which refuses it or reads on."""
PIECE = 64 * 1024
IN_MEMORY = 64 * 1024
"""More of a body or an answer goes to a temporary file."""
ANSWER_AHEAD = 8 * 1024 * 1024
"""An answer waits with more for its client in the thread; only exports and large files have more, and they have few places."""
MOST_ON_DISK = 512 * 1024 * 1024
"""Bytes of bodies on the way; beyond, the client who has waited longest is hung up on."""
QUEUED_A_THREAD = 12
"""Requests that wait for a thread; the next one is answered with 503 at once."""
FILES_A_CONNECTION, OTHER_FILES = 2, 150
LOOK_SECONDS = 0.5
SPARED_SECONDS = 0.25

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_EMPTY = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n%s\r\n"
HEAD_TOO_LARGE = _EMPTY % (b"431 Request Header Fields Too Large", b"")
TIMED_OUT = _EMPTY % (b"408 Request Timeout", b"")
BUSY = _EMPTY % (b"503 Service Unavailable", b"Retry-After: 1\r\n")

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"[0-9a-f]{1,12}", re.IGNORECASE)


class State(Enum):
    """How far a request has arrived."""

    HEAD = auto()
    BODY = auto()
    WHOLE = auto()
    AHEAD = auto()
    """BODY_AHEAD bytes of the body have arrived, and there are more."""
    TOO_LARGE = auto()
    """The head has no end."""


class _Length:
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        self._missing = length

    def end_in(self, piece: bytes) -> int | None:
        """Return the end of the body in its next piece; None if it continues."""
        if len(piece) < self._missing:
            self._missing -= len(piece)
            return None
        return self._missing


class _Chunks:
    """A body in chunks (RFC 9112, 7.1). What is no chunk ends it: gunicorn refuses it."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._skipped = 0
        self._has_ended = False

    def end_in(self, piece: bytes) -> int | None:
        """Return the end of the body in its next piece; None if it continues."""
        at = 0
        while at < len(piece):
            if self._skipped:
                step = min(self._skipped, len(piece) - at)
                self._skipped -= step
                at += step
                continue
            end = piece.find(b"\n", at) + 1 or len(piece)
            self._line += piece[at:end]
            at = end
            if self._line.endswith(b"\n") and self._ends():
                return at
        return at if len(self._line) > LARGEST_HEAD else None

    def _ends(self) -> bool:
        line = bytes(self._line).strip()
        self._line.clear()
        if self._has_ended:  # trailers follow, and an empty line
            return not line
        size = line.partition(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(size):
            return True
        self._has_ended = int(size, 16) == 0
        self._skipped = 0 if self._has_ended else int(size, 16) + len(b"\r\n")
        return False


class Incoming:
    """A request as it arrives, in `file`, with the bytes after it that its client has sent already."""

    def __init__(self) -> None:
        self.file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # open until the thread has read it
        self.state = State.HEAD
        self.size = 0
        self.expects_continue = False
        self._head = bytearray()
        self._body: _Length | _Chunks | None = None

    def receive(self, piece: bytes) -> State:
        """Take the next piece of the request; returns its state."""
        if self.state is State.HEAD:
            self._receive_head(piece)
        elif self.state is State.BODY:
            self._receive_body(piece)
        return self.state

    def _receive_head(self, piece: bytes) -> None:
        self._head += piece
        if not self.size:
            self._head = self._head.lstrip(b"\r\n")  # RFC 9112, 2.2
        end = self._head.find(b"\r\n\r\n")
        if end < 0 or end > LARGEST_HEAD:
            if len(self._head) > LARGEST_HEAD:
                self.state = State.TOO_LARGE
            return
        head, rest = bytes(self._head[: end + 2]), bytes(self._head[end + 4 :])
        length = _LENGTH.search(head)
        if _CHUNKED.search(head):
            self._body = _Chunks()
        else:
            self._body = _Length(int(length[1][:20]) if length else 0)
        self.expects_continue = bool(_EXPECTS.search(head)) and not rest
        self._write(_EXPECTS.sub(b"", head) + b"\r\n")
        self.state = State.BODY
        self._receive_body(rest)

    def _receive_body(self, piece: bytes) -> None:
        assert self._body
        end = self._body.end_in(piece)
        self._write(piece)
        if end is not None:
            self.state = State.WHOLE
        elif self.size > BODY_AHEAD:
            self.state = State.AHEAD

    def _write(self, piece: bytes) -> None:
        self.file.write(piece)
        self.size += len(piece)


class ArrivedUnreader(SocketUnreader):
    """Reads what the event loop received, and then from the socket, which a malformed request alone needs."""

    arrived: IO[bytes] | None = None

    def chunk(self, size_hint: int | None = None) -> bytes:
        if self.arrived and (piece := self.arrived.read(max(size_hint or 0, self.mxchunk))):
            return piece
        self.settle()
        self.sock.settimeout(STALLED_SECONDS)
        return bytes(super().chunk(size_hint))

    def settle(self) -> None:
        """Keep what has arrived of the next request."""
        if self.arrived:
            self.buf.seek(0, SEEK_END)
            self.buf.write(self.arrived.read(PIECE))
            self.arrived.close()
            self.arrived = None


class Outgoing:
    """The socket of an answer for gunicorn's Response, which does not wait for the client up to ANSWER_AHEAD."""

    discards_bodies = True
    """The event loop reads the rest of a body that the application does not read."""

    def __init__(self, client: socket) -> None:
        self._client = client
        self._client.settimeout(STALLED_SECONDS)
        self._file: IO[bytes] | None = None
        self._sent = self._written = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    @property
    def is_waiting(self) -> bool:
        """Return whether the client has not got everything."""
        return self._sent < self._written

    def sendall(self, data: bytes) -> None:
        """Send what the client takes now, and store the rest. Raises TimeoutError for a client who reads no more of a large answer."""
        taken = 0 if self.is_waiting else self._send(data)
        if taken == len(data):
            return
        if self._file is None:
            self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # open until the client has it all
        self._file.seek(0, SEEK_END)
        self._file.write(data[taken:])
        self._written += len(data) - taken
        while self._written - self._sent > ANSWER_AHEAD:
            piece = self._next()
            self._client.sendall(piece)
            self._sent += len(piece)

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        file.seek(offset)
        rest = count if count is not None else 1 << 62
        while rest > 0 and (piece := file.read(min(rest, PIECE))):
            self.sendall(piece)
            rest -= len(piece)
        return file.tell() - offset

    def send_on(self) -> int:
        """Send stored bytes that the client takes now; returns their number."""
        sent = self._send(self._next())
        self._sent += sent
        return sent

    def close_file(self) -> None:
        if self._file:
            self._file.close()

    def _next(self) -> bytes:
        assert self._file
        self._file.seek(self._sent)
        return self._file.read(PIECE)

    def _send(self, data: bytes) -> int:
        try:
            return os.write(self._client.fileno(), data)  # a socket with a timeout does not block
        except BlockingIOError:
            return 0


class BufferingWorker(ThreadWorker):
    """Receive requests and send answers in the event loop; only what computes an answer takes a thread.

    The connection that has waited longest is closed for a new one where there are too many.
    """

    def init_process(self) -> None:
        self._waiting: dict[TConn, float] = {}  # → moment at which its patience ends
        self._on_disk = self._uploads = 0
        self._looked_at = 0.0
        most = (_raised_file_limit() - OTHER_FILES) // FILES_A_CONNECTION
        self.worker_connections = max(min(self.cfg.worker_connections, most), 2 * self.cfg.threads)
        super().init_process()

    # arrival

    def enqueue_req(self, conn: TConn) -> None:
        """Wait for the next request of a connection, and count what its client has sent ahead."""
        if not conn.initialized:
            conn.init()  # without TLS, this makes the parser alone
            conn.parser.unreader = ArrivedUnreader(conn.sock)
        conn.incoming = Incoming()
        conn.outgoing = None
        ahead = conn.parser.unreader.take_buffered()
        self._wait(conn, EVENT_READ, self._receive, HEAD_SECONDS)
        if ahead:
            self._received(conn, ahead)

    def _receive(self, conn: TConn, client: socket) -> None:
        try:
            piece = client.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if piece:
            self._received(conn, piece)
        else:
            self._close(conn)

    def _received(self, conn: TConn, piece: bytes) -> None:
        size = conn.incoming.size
        state = conn.incoming.receive(piece)
        self._on_disk += conn.incoming.size - size
        if state is State.BODY:
            self._waiting[conn] = time.monotonic() + STALLED_SECONDS
            if conn.incoming.expects_continue:
                conn.incoming.expects_continue = False
                self._tell(conn, CONTINUE)
        elif state is State.TOO_LARGE:
            self._turn_away(conn, HEAD_TOO_LARGE)
        elif state in (State.WHOLE, State.AHEAD):
            self._give_thread(conn)

    def _give_thread(self, conn: TConn) -> None:
        is_upload = conn.incoming.state is State.AHEAD
        is_full = self.tpool._work_queue.qsize() >= QUEUED_A_THREAD * self.cfg.threads
        if is_full or (is_upload and self._uploads >= self.cfg.threads // 2):
            self._turn_away(conn, BUSY)
            return
        self._uploads += is_upload
        self._stop_waiting(conn)
        conn.incoming.file.seek(0)
        conn.parser.unreader.arrived = conn.incoming.file
        self._on_disk -= conn.incoming.size
        super().enqueue_req(conn)

    # answer

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Compute an answer in a thread."""
        if self.cfg.is_ssl:
            return bool(super().handle_request(req, conn))
        conn.outgoing = Outgoing(conn.sock)
        seen = SimpleNamespace(sock=conn.outgoing, client=conn.client, server=conn.server)
        return bool(super().handle_request(req, seen))

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Return whether the connection can be used again: no thread waits for the rest of a body."""
        is_whole = conn.incoming.state is State.WHOLE
        return is_whole and bool(super()._keepalive_after(conn, keepalive))

    def finish_request(self, conn: TConn, fs: Future[bool]) -> None:
        """Give the thread back, and send the rest of the answer."""
        self._uploads -= conn.incoming.state is State.AHEAD
        conn.parser.unreader.settle()
        self._go_on(conn, fs)

    def _go_on(self, conn: TConn, fs: Future[bool]) -> None:
        """Send the rest of the answer; then wait for the next request, or close the connection."""
        if conn.sock.fileno() < 0:
            self._close(conn)
        elif conn.outgoing and conn.outgoing.is_waiting:
            self._wait(conn, EVENT_WRITE, partial(self._send, fs), STALLED_SECONDS)
        elif fs.cancelled() or fs.exception() or not fs.result():
            is_whole = conn.incoming.state is State.WHOLE
            self._linger(conn, LINGER_SECONDS if is_whole else DISCARD_SECONDS)
        else:
            super().finish_request(conn, fs)

    def _send(self, fs: Future[bool], conn: TConn, _client: socket) -> None:
        try:
            while conn.outgoing.is_waiting and conn.outgoing.send_on():
                self._waiting[conn] = time.monotonic() + STALLED_SECONDS
        except OSError:
            self._close(conn)
            return
        if not conn.outgoing.is_waiting:
            self._stop_waiting(conn)
            conn.outgoing.close_file()
            self._go_on(conn, fs)

    # end

    def _turn_away(self, conn: TConn, answer: bytes) -> None:
        self._stop_waiting(conn)
        self._on_disk -= conn.incoming.size
        conn.incoming.file.close()
        self._tell(conn, answer)
        self._linger(conn, DISCARD_SECONDS)

    def _linger(self, conn: TConn, seconds: float) -> None:
        """Discard what the client still sends until it hangs up, so that it gets the answer (RFC 9112, 9.6)."""
        conn.incoming = None
        try:
            conn.sock.shutdown(SHUT_WR)
        except OSError:
            self._close(conn)
            return
        self._wait(conn, EVENT_READ, self._discard, seconds)

    def _discard(self, conn: TConn, client: socket) -> None:
        try:
            if client.recv(PIECE):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._close(conn)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Look again soon, because no connection is accepted while there are too many."""
        super().wait_for_and_dispatch_events(min(timeout, SPARED_SECONDS))

    def murder_pending(self) -> None:
        """Close the connections whose patience is over, and the oldest where there are too many.

        The event loop calls it when all events have been handled: a connection that another one closes may have an event, too.
        """
        while self._is_full() and self._shed():
            pass
        now = time.monotonic()
        if now < self._looked_at + LOOK_SECONDS:
            return
        self._looked_at = now
        for conn in [each for each, until in self._waiting.items() if until <= now]:
            if conn.incoming and conn.incoming.state is State.BODY:
                self._turn_away(conn, TIMED_OUT)
            else:
                self._close(conn)

    def _is_full(self) -> bool:
        return self.nr_conns >= self.worker_connections or self._on_disk > MOST_ON_DISK

    def _shed(self) -> bool:
        """Close the connection that has waited longest, unless its request may be about to arrive; returns whether there was one."""
        if self.keepalived_conns:
            conn = self.keepalived_conns.popleft()
            self.poller.unregister(conn.sock)
        else:
            conn = next(iter(self._waiting), None)
            if conn is None or time.monotonic() < conn.waits_since + SPARED_SECONDS:
                return False
        self._close(conn)
        return True

    def _wait(self, conn: TConn, event: int, callback: Any, seconds: float) -> None:
        conn.sock.setblocking(False)
        conn.waits_since = time.monotonic()
        self._waiting[conn] = conn.waits_since + seconds
        self.poller.register(conn.sock, event, partial(callback, conn))

    def _stop_waiting(self, conn: TConn) -> None:
        if self._waiting.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)

    def _close(self, conn: TConn) -> None:
        self._stop_waiting(conn)
        self.nr_conns -= 1
        if conn.incoming and conn.incoming.state is State.BODY:
            self._on_disk -= conn.incoming.size
        if conn.incoming:
            conn.incoming.file.close()
        if conn.outgoing:
            conn.outgoing.close_file()
        conn.close()

    @staticmethod
    def _tell(conn: TConn, answer: bytes) -> None:
        with suppress(OSError):
            conn.sock.send(answer)


def _raised_file_limit() -> int:
    """Raise the limit of open files as far as the system allows; returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted if soft == resource.RLIM_INFINITY else soft
