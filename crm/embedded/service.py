"""Run a server program as a child process: its folder, start, readiness and stop."""

from __future__ import annotations

import hashlib
import os
import pwd
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from crm.embedded.reference_count import EmbeddedError
from crm.supervisor import die_with_parent

START_WITHIN = 120.0  # a recovery after a crash is part of it
STOP_WITHIN = 15.0
SOCKET_PATH_MAX = 100


def package_folder(package: str) -> Path:
    """Return the folder of an installed package without importing it: it is wanted for its programs."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"The package {package} is not installed: run pip install -r requirements.txt."
        )
    return Path(spec.origin).parent


class Service(ABC):
    """One server with a folder of its own. `durable=False` gives up crash safety for speed."""

    name: str
    program: str
    socket_name: str
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def ready(self) -> bool: ...

    def prepare(self) -> None:  # noqa: B027 most need nothing
        """Create what the server needs before its first start."""

    @property
    def identity(self) -> dict[str, Any]:
        """Return Popen's arguments to run as `user`, with that user's groups only."""
        if self.user is None:
            return {}
        account = pwd.getpwnam(self.user)
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        """Start the server and wait until it is ready. Raises EmbeddedError."""
        self._stop_orphan()
        self.prepare()
        self.socket_folder()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                **self.identity,
                preexec_fn=partial(die_with_parent, self.stop_signal),
                start_new_session=True,
            )
        self._pid_file.write_text(str(self.process.pid))
        deadline = time.monotonic() + START_WITHIN
        while not self.ready():
            if self.died():
                raise EmbeddedError(self.reason())
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"{self.name} did not start within {START_WITHIN:.0f} s; see {self.log}."
                )
            time.sleep(0.02)

    def died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        """Stop the server: its stop signal, and SIGKILL after STOP_WITHIN seconds."""
        if self.process is None or self.died():
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._pid_file.unlink(missing_ok=True)

    def socket_folder(self) -> Path:
        """Return the folder of the socket: in the service's folder, or under the temporary one if that path is too long."""
        ours = self.folder / "socket"
        if len(os.fsencode(ours / self.socket_name)) > SOCKET_PATH_MAX:
            key = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
            ours = Path(tempfile.gettempdir()) / f"kindling-{self.name}-{key}"
        owner = pwd.getpwnam(self.user).pw_uid if self.user else os.geteuid()
        ours.mkdir(mode=0o700, exist_ok=True)
        if ours.stat().st_uid == os.geteuid() != owner:
            os.chown(ours, owner, -1)
        if ours.stat().st_uid != owner:
            raise EmbeddedError(
                f"{ours} belongs to another user: remove it, or set STATE_DIR to a shorter path."
            )
        return ours

    def reason(self) -> str:
        """Return why the server exited, in one sentence."""
        log = self.log.read_text(errors="replace").strip()
        if "No space left on device" in log:
            return (
                f"The disk that holds {self.folder.parent} is full: free some space, "
                "or set STATE_DIR to a folder on another disk."
            )
        last = log.splitlines()[-1] if log else "its log is empty"
        return f"{self.name} did not start: {last} (the whole log is {self.log})"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pid"

    def _stop_orphan(self) -> None:
        """Stop a server whose service process was killed. This process holds the lock, so no other has one."""
        try:
            orphan = psutil.Process(int(self._pid_file.read_text()))
            if orphan.name() == self.program:
                orphan.send_signal(self.stop_signal)
                orphan.wait(STOP_WITHIN)
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            pass
