"""Count the processes that use a service: the first one starts it, and it stops after the last one.

Each process holds a shared lock on the file `members`, which the system releases however the process ends. The service process
(crm.embedded.service_process) holds the file `keeper`, and stops the service once it gets an exclusive lock on `members`.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

STOP_WITHIN = 20.0

_joined: dict[Path, IO[str]] = {}
_process: int | None = None


class EmbeddedError(Exception):
    """A service could not be started; the text is one sentence for the operator."""


def join(service: str, state: Path, *, durable: bool = True) -> str:
    """Use `service` ("postgres" or "redis") of this state until this process ends; return its URL.

    Raises EmbeddedError.
    """
    global _process
    folder = state / service
    folder.mkdir(mode=0o711, exist_ok=True)
    members = (folder / "members").open("w")
    fcntl.flock(members, fcntl.LOCK_SH)
    with (folder / "starting").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if is_free(folder / "keeper"):
            _start_keeper(service, folder, durable=durable)
    if not _joined:
        _process = os.getpid()
        atexit.register(leave)
    _joined[folder] = members
    return (folder / "url").read_text()


def leave() -> None:
    """Stop using the services of this process; wait until those that no other process uses have stopped."""
    if os.getpid() != _process:  # a fork: the lock is its parent's
        return
    ending = []
    for folder, members in _joined.items():
        try:
            fcntl.flock(members, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ending.append(folder / "keeper")
        except BlockingIOError:
            pass
        members.close()
    _joined.clear()
    deadline = time.monotonic() + STOP_WITHIN
    while time.monotonic() < deadline and not all(map(is_free, ending)):
        time.sleep(0.05)


def is_free(lock: Path) -> bool:
    """Return whether no process holds this lock."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _start_keeper(service: str, folder: Path, *, durable: bool) -> None:
    command = [sys.executable, "-m", "crm.embedded.service_process", service, str(folder)]
    if not durable:
        command.append("--not-durable")
    with (folder / "keeper.log").open("a") as log:
        keeper = subprocess.Popen(
            command,
            cwd=Path(__file__).resolve().parent.parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    assert keeper.stdout is not None
    with keeper.stdout:
        report = keeper.stdout.read().strip()
    if report != "ready":
        raise EmbeddedError(report or f"{service} did not start; see {log.name}.")
    keeper.returncode = (
        0  # it outlives this process on purpose: no warning that nobody waited for it
    )
