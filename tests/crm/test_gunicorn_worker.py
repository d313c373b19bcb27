"""Slow clients keep no thread of the web server: more of them than threads, and others are answered at once."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings

from crm.gunicorn_worker import BODY_AHEAD, LARGEST_HEAD, Incoming, State
from crm.management.commands.serve import programs
from tests.crm.test_embedded import assert_soon

SLOW = 60
HEAD_SECONDS, STALLED_SECONDS = 6, 4
CONNECTIONS, THREADS, QUEUED_A_THREAD = 200, 2, 40
MIB = 1024 * 1024
APPLICATION = f"""
import time
from pathlib import Path

from crm import gunicorn_worker

gunicorn_worker.HEAD_SECONDS = {HEAD_SECONDS}
gunicorn_worker.STALLED_SECONDS = {STALLED_SECONDS}
gunicorn_worker.BODY_AHEAD = 3 * {MIB}
gunicorn_worker.QUEUED_A_THREAD = {QUEUED_A_THREAD}


def application(environ, start_response):
    path = environ["PATH_INFO"]
    while path == "/wait" and not Path(__file__).with_name("go").exists():
        time.sleep(0.02)
    body = b"" if path == "/unread" else environ["wsgi.input"].read()
    answer = f"{{path}} {{len(body)}}".encode()
    if path.startswith("/large/"):
        answer = b"x" * int(path.removeprefix("/large/"))
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
"""
"""Answers with the path and the size of the body, or with as many bytes as the path says."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run gunicorn as the site does, with two threads; yield its socket."""
    folder = tmp_path_factory.mktemp("web")
    path = folder / "s"
    (folder / "echo.py").write_text(APPLICATION)
    options = [
        "--worker-class",
        _worker_class(),
        "--threads",
        str(THREADS),
        "--log-level",
        "warning",
    ]
    options += ["--worker-connections", str(CONNECTIONS)]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "echo", "--bind", f"unix:{path}", *options],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(settings.BASE_DIR)])},
        start_new_session=True,
    )
    (folder / "pid").write_text(str(process.pid))
    try:
        assert_soon(lambda: _answers(path))
        yield path
    finally:
        process.terminate()
        process.wait()


def _worker_class() -> str:
    command = next(each.command for each in programs(8000, None) if each.name == "web server")
    return command[command.index("--worker-class") + 1]


def _answers(path: Path) -> bool:
    try:
        return ask(path, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").endswith(
            b"/healthz 0"
        )
    except OSError:
        return False


def ask(path: Path, *pieces: bytes) -> bytes:
    """Send the pieces one after the other, and return all that is answered."""
    with connection(path) as client:
        for piece in pieces:
            client.sendall(piece)
            time.sleep(0.05)
        return b"".join(iter(lambda: client.recv(65536), b""))


def connection(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(30)
    client.connect(str(path))
    return client


HEAD = b"POST /form HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
EXPECTING = HEAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
CHUNKED = HEAD.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked")
GET = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
        HEAD % 100 + b"a=",
        b"GET /kept HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHo",
        HEAD.replace(b"Connection: close\r\n", b"") % 1 + b"xPOST / HT",
        HEAD % MIB + b"x" * 100_000,
        HEAD % (1000 * MIB) + b"x",
        HEAD % 10**30 + b"x",
        b"\r\n\r\n",
        EXPECTING % MIB,
        CHUNKED + b"ffff\r\nab",
        CHUNKED + b"5\r\n0\r\n\r\n\r\n",
    ],
    ids=[
        *("silence", "a letter", "half a head", "half a form", "a second head", "behind a body"),
        *("half a MB", "a GB", "more than numbers", "blank lines", "an expectation"),
        *("half a chunk", "an end within a chunk"),
    ],
)
def test_slow_clients_hold_up_nobody(server: Path, beginning: bytes) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connection(server)) for _ in range(SLOW)]
        for client in slow:
            client.sendall(beginning)
        time.sleep(0.2)
        assert_answered_at_once(server)


def assert_answered_at_once(server: Path) -> None:
    """No thread waits for a client: the shortest time for which one would is STALLED_SECONDS."""
    begun = time.monotonic()
    assert _answers(server)
    assert time.monotonic() - begun < STALLED_SECONDS - 1


def test_slow_readers_hold_up_nobody(server: Path) -> None:
    size = 3 * MIB
    with ExitStack() as stack:
        slow = [stack.enter_context(connection(server)) for _ in range(SLOW)]
        for client in slow:
            client.sendall(GET % b"/large/%d" % size)
        time.sleep(0.5)
        assert_answered_at_once(server)
        answer = b"".join(iter(lambda: slow[-1].recv(65536), b""))
        assert len(answer.partition(b"\r\n\r\n")[2]) == size


def test_clients_that_never_close_hold_up_nobody(server: Path) -> None:
    with ExitStack() as stack:
        for _ in range(SLOW):
            client = stack.enter_context(connection(server))
            client.sendall(GET % b"/x")
        time.sleep(0.5)
        assert_answered_at_once(server)


def test_silent_connections_make_room(server: Path) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connection(server)) for _ in range(2 * CONNECTIONS)]
        assert_answered_at_once(server)
        slow[0].settimeout(HEAD_SECONDS - 1)
        assert slow[0].recv(1) == b""
        slow[-1].sendall(GET % b"/last")
        assert b"".join(iter(lambda: slow[-1].recv(65536), b"")).endswith(b"/last 0")


def test_a_connection_is_closed_beside_its_next_request(server: Path) -> None:
    """A new connection and a request on the one that makes room for it arrive in one round of the event loop."""
    group = int(server.with_name("pid").read_text())
    with ExitStack() as stack:
        kept = [stack.enter_context(connection(server)) for _ in range(CONNECTIONS - 1)]
        for client in kept:
            client.sendall(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(65536)
        os.killpg(group, signal.SIGSTOP)
        new = [stack.enter_context(connection(server)) for _ in range(30)]
        for client in [*kept[:40], *new]:
            client.sendall(GET % b"/2")
        os.killpg(group, signal.SIGCONT)
        answers = [b"".join(iter(partial(client.recv, 65536), b"")) for client in new]
    assert all(answer.endswith(b"/2 0") for answer in answers)


def answered(clients: list[socket.socket]) -> list[socket.socket]:
    return select.select(clients, [], [], 0)[0]


def test_a_queue_for_threads_has_an_end(server: Path) -> None:
    with ExitStack() as stack:
        most = THREADS + THREADS * QUEUED_A_THREAD
        clients = [stack.enter_context(connection(server)) for _ in range(most + 10)]
        for client in clients:
            client.sendall(GET % b"/wait")
        assert_soon(lambda: len(answered(clients)) == 10)
        refused = answered(clients)
        assert {client.recv(65536)[:12] for client in refused} == {b"HTTP/1.1 503"}
        server.with_name("go").touch()
        rest = [client for client in clients if client not in refused]
        answers = [client.recv(65536)[:12] for client in rest]
    assert answers.count(b"HTTP/1.1 200") == most


def test_a_body_that_stalls_is_a_408(server: Path) -> None:
    assert ask(server, HEAD % MIB + b"x" * 100).startswith(b"HTTP/1.1 408 ")


def test_uploads_take_half_of_the_threads(server: Path) -> None:
    begun = b"x" * (4 * MIB)  # the socket holds less than a MB of it: the server has read the rest
    with connection(server) as first, connection(server) as second:
        for client in (first, second):
            client.sendall(HEAD % (10 * MIB) + begun)
        assert second.recv(65536).startswith(b"HTTP/1.1 503 ")
        assert_answered_at_once(server)
        first.sendall(b"x" * (6 * MIB))
        answer = b"".join(iter(lambda: first.recv(65536), b""))
        assert answer.endswith(b"/form %d" % (10 * MIB))


def test_a_body_that_nobody_reads_does_not_hide_the_answer(server: Path) -> None:
    head = HEAD.replace(b"/form", b"/unread")
    assert ask(server, head % (9 * MIB), b"x" * (9 * MIB)).endswith(b"/unread 0")


def test_an_expectation_is_met_once(server: Path) -> None:
    with connection(server) as client:
        client.sendall(EXPECTING % 4)
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abcd")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"/form 4")


def test_a_head_that_does_not_end_is_hung_up_on(server: Path) -> None:
    with connection(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHo")
        assert client.recv(100) == b""


def test_requests_in_pieces_are_answered(server: Path) -> None:
    large = 200_000
    for pieces, answer in [
        ([b"GET /a HTTP/1.1\r\n", b"Host: x\r\nConnection: close\r\n\r", b"\n"], b"/a 0"),
        ([HEAD % 4, b"ab", b"cd"], b"/form 4"),
        ([HEAD % large + b"x" * 10, b"x" * (large - 10)], b"/form %d" % large),
        ([EXPECTING % 2, b"ab"], b"/form 2"),
        ([CHUNKED, b"2\r\nab\r\n", b"0\r\n\r\n"], b"/form 2"),
        ([CHUNKED + b"2;x=1\r\na", b"b\r", b"\n0\r\nX-Sum: 1\r", b"\n\r\n"], b"/form 2"),
        ([b"\r\n\r\n" + HEAD % 1, b"a"], b"/form 1"),
        ([HEAD % (2 * MIB) + b"x" * MIB, b"x" * MIB], b"/form %d" % (2 * MIB)),
        ([HEAD % (5 * MIB) + b"x" * MIB, b"x" * (4 * MIB)], b"/form %d" % (5 * MIB)),
        ([b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + HEAD % 3 + b"a", b"bc"], b"/form 3"),
    ]:
        assert ask(server, *pieces).endswith(answer)


def test_an_endless_head_is_refused(server: Path) -> None:
    head = b"GET / HTTP/1.1\r\nX-A: " + b"a" * (LARGEST_HEAD + 1)
    assert ask(server, head).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("received", "state"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", State.WHOLE),
        (b"GET / HTTP/1.1\n\n", State.HEAD),
        (b"\r\n\r\n", State.HEAD),
        (b"POST / HTTP/1.1\r\nCONTENT-LENGTH: 2\r\n\r\n", State.BODY),
        (b"POST / HTTP/1.1\r\nContent-Length:2\r\n\r\nab", State.WHOLE),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n" + b"a" * 70_000, State.BODY),
        (HEAD % 10**12 + b"a" * (BODY_AHEAD + 1), State.AHEAD),
        (HEAD.replace(b"%d", b"9" * 5000) + b"a", State.BODY),
        (b"POST / HTTP/1.1\r\nContent-Length: 2x\r\n\r\n", State.WHOLE),
        (b"POST / HTTP/1.1\r\nX-Content-Length: 2\r\n\r\n", State.WHOLE),
        (CHUNKED, State.BODY),
        (CHUNKED + b"2\r\nab\r\n0\r\n", State.BODY),
        (CHUNKED + b"2\r\nab\r\n0\r\n\r\n", State.WHOLE),
        (CHUNKED + b"5\r\n0\r\n\r\n\r\n", State.BODY),
        (CHUNKED + b"-1\r\n", State.WHOLE),
        (CHUNKED + b"0x1\r\n", State.WHOLE),
        (CHUNKED + b"f" * 40_000, State.WHOLE),
        (b"GET / HTTP/1.1\r\nX-A: " + b"a" * LARGEST_HEAD, State.TOO_LARGE),
    ],
)
def test_a_request_is_received_to_its_end(received: bytes, state: State) -> None:
    """However it is cut, and with the beginning of the next one behind it."""
    for size in (len(received), 1_000, 1) if len(received) < 50_000 else (len(received), 9_999):
        arriving = Incoming()
        for at in range(0, len(received), size):
            arriving.receive(received[at : at + size])
        assert arriving.state is state
    if state is State.WHOLE:
        arriving = Incoming()
        assert arriving.receive(received + b"GET / HT") is State.WHOLE
        arriving.file.seek(0)
        assert arriving.file.read() == received + b"GET / HT"
