"""Slow clients keep no thread of the web server: more of them than threads, and others are answered at once."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings

from crm.gunicorn_worker import BODY_AHEAD, LARGEST_HEAD, _is_ready
from crm.management.commands.serve import programs
from tests.crm.test_embedded import assert_soon

SLOW = 50
HEAD_SECONDS = 6
APPLICATION = f"""
from crm import gunicorn_worker

gunicorn_worker.HEAD_SECONDS = {HEAD_SECONDS}


def application(environ, start_response):
    body = environ["wsgi.input"].read()
    answer = f"{{environ['PATH_INFO']}} {{len(body)}}".encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
"""
"""Answers with the path and the size of the body."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run gunicorn as the site does, with two threads; yield its socket."""
    folder = tmp_path_factory.mktemp("web")
    path = folder / "s"
    (folder / "echo.py").write_text(APPLICATION)
    options = ["--worker-class", _worker_class(), "--threads", "2", "--log-level", "warning"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "echo", "--bind", f"unix:{path}", *options],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(settings.BASE_DIR)])},
    )
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


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
        HEAD % 100 + b"a=",
        b"GET /kept HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHo",
        HEAD.replace(b"Connection: close\r\n", b"") % 1 + b"xPOST / HT",
    ],
    ids=["silence", "a letter", "half a head", "half a form", "a second head", "behind a body"],
)
def test_slow_clients_hold_up_nobody(server: Path, beginning: bytes) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connection(server)) for _ in range(SLOW)]
        for client in slow:
            client.sendall(beginning)
        time.sleep(0.2)
        begun = time.monotonic()
        assert _answers(server)
        assert time.monotonic() - begun < HEAD_SECONDS - 1


def test_a_head_that_does_not_end_is_hung_up_on(server: Path) -> None:
    with connection(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHo")
        assert client.recv(100) == b""


def test_requests_in_pieces_are_answered(server: Path) -> None:
    large = BODY_AHEAD * 3
    for pieces, answer in [
        ([b"GET /a HTTP/1.1\r\n", b"Host: x\r\nConnection: close\r\n\r", b"\n"], b"/a 0"),
        ([HEAD % 4, b"ab", b"cd"], b"/form 4"),
        ([HEAD % large + b"x" * 10, b"x" * (large - 10)], b"/form %d" % large),
        ([HEAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n") % 2, b"ab"], b"/form 2"),
        (
            [
                HEAD.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked"),
                b"2\r\nab\r\n",
                b"0\r\n\r\n",
            ],
            b"/form 2",
        ),
        ([b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + HEAD % 3 + b"a", b"bc"], b"/form 3"),
    ]:
        assert ask(server, *pieces).endswith(answer)


def test_an_endless_head_is_refused(server: Path) -> None:
    head = b"GET / HTTP/1.1\r\nX-A: " + b"a" * (LARGEST_HEAD + BODY_AHEAD + 1)
    assert ask(server, head).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("received", "is_ready"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\n\n", False),
        (b"POST / HTTP/1.1\r\nCONTENT-LENGTH: 2\r\n\r\n", False),
        (b"POST / HTTP/1.1\r\nContent-Length:2\r\n\r\nab", True),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + b"a" * BODY_AHEAD, True),
        (b"POST / HTTP/1.1\r\nContent-Length: 2x\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nX-Content-Length: 2\r\n\r\n", True),
    ],
)
def test_a_request_is_ready_with_its_form(received: bytes, is_ready: bool) -> None:
    assert _is_ready(bytearray(received)) is is_ready
