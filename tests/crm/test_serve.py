"""`manage.py serve` starts, restarts and stops its child processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from crm.supervisor import Program, Supervisor
from tests.crm.test_embedded import assert_soon, environment, processes

pytestmark = pytest.mark.fault

SLEEPER = Program("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"])
STUBBORN = Program(
    "stubborn one",
    [
        sys.executable,
        "-c",
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)",
    ],
)


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def supervisor(messages: list[str], tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(messages.append, os.environ, tmp_path, grace=1)
    yield supervisor
    supervisor.stop()


def checking(supervisor: Supervisor, until: Callable[[], bool]) -> None:
    def look() -> bool:
        supervisor.check()
        return until()

    assert_soon(look)


def test_an_exited_child_is_reported_and_restarted(
    supervisor: Supervisor, messages: list[str]
) -> None:
    supervisor.start(SLEEPER)
    first = supervisor.pid("sleeper")

    os.kill(first, signal.SIGKILL)

    checking(supervisor, lambda: supervisor.pid("sleeper") != first)
    assert messages == ["The sleeper was killed by SIGKILL; restarting it in 0.5 s."]


def test_a_crashing_child_restarts_with_backoff(
    supervisor: Supervisor, messages: list[str]
) -> None:
    supervisor.start(Program("quitter", [sys.executable, "-c", "raise SystemExit(3)"]))

    checking(supervisor, lambda: len(messages) == 3)

    assert [sentence.rpartition(" in ")[2] for sentence in messages] == ["0.5 s.", "1 s.", "2 s."]
    assert "exited with code 3" in messages[0]


def test_a_child_ignoring_its_stop_signal_is_killed(
    supervisor: Supervisor, messages: list[str]
) -> None:
    supervisor.start(STUBBORN)
    pid = supervisor.pid("stubborn one")
    time.sleep(0.5)

    supervisor.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert messages == ["The stubborn one did not stop within 1 s; killing it."]


class Site:
    """Serve a site on a free port with a state folder of its own."""

    def __init__(
        self, state: Path, port: int | None = None, given: dict[str, str] | None = None
    ) -> None:
        """`given` is its environment, by default that of a bare machine."""
        self.state = state
        self.port = port or free_port()
        self.log = state.with_suffix(".log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port)],
                cwd=settings.BASE_DIR,
                env=given or environment(state),
                stdout=log,
                stderr=log,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_site_starts_refuses_a_second_and_stops_clean(tmp_path: Path) -> None:
    site = Site(tmp_path / "state")
    try:
        assert_soon(site.is_ready, within=180)

        second = Site(tmp_path / "state")
        assert second.process.wait(60) == 1
        assert (
            f"already runs on {site.state} (process {site.process.pid})" in second.log.read_text()
        )

        same_port = Site(tmp_path / "other", site.port)
        assert same_port.process.wait(60) == 1
        assert f"Port {site.port} is in use" in same_port.log.read_text()
    finally:
        code = site.end()

    assert code == 0
    assert processes(tmp_path) == []
