"""Celery workers and beats as real processes on the database and broker of the test, which may kill them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from crm.supervisor import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
SHORT_PAUSES = {
    "SENDING_LEASE_SECONDS": "10",
    "SENDING_FIRST_RETRY_SECONDS": "1",
    "SENDING_FIRST_PROBE_SECONDS": "1",
    "SENDING_SWEEP_SECONDS": "1",
    "CELERY_SKIP_CHECKS": "1",
}
"""As in production, with shorter pauses."""


class Celery:
    """`celery worker` or `celery beat`, as a site runs it."""

    def __init__(self, *command: str, **environment: str) -> None:
        self._command = [
            sys.executable,
            "-m",
            "celery",
            "--app",
            "crm",
            *command,
            "--loglevel",
            "WARNING",
        ]
        self._environment = {
            **os.environ,
            **SHORT_PAUSES,
            "DATABASE_URL": database_url(),
            **environment,
        }
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._environment,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, signal.SIGKILL),
        )

    def kill(self) -> None:
        """Send SIGKILL to the process and its children, as the kernel does when memory runs out."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, within: float = 20) -> None:
        """Send SIGTERM to the main process. Raises TimeoutExpired if it does not end in time."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(within)


def worker(*, processes: int = 1, beat: bool = True, **environment: str) -> Celery:
    options = ["--beat"] if beat else []
    return Celery(
        "worker", *options, "--concurrency", str(processes), "--without-gossip", "--without-mingle",
        **environment,
    )  # fmt: skip


@contextmanager
def running(*programs: Celery) -> Iterator[None]:
    """Kill the programs at the end of the test, however it ends."""
    try:
        yield
    finally:
        for program in programs:
            program.process.terminate()
        for program in programs:
            try:
                program.process.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()


def database_url() -> str:
    """Return the URL of the test database, for another process."""
    name = connection.settings_dict["NAME"]
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def wait_until(condition: Callable[[], bool], seconds: float = 240) -> None:
    """Wait until the condition holds. Raises AssertionError if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
