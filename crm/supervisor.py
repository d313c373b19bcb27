"""Run child processes: apart from the terminal, restarted when they exit, stopped in order."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
STEADY_AFTER = 30.0
"""A program that ran for so many seconds restarts after FIRST_PAUSE again."""
PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals) -> None:
    """Let the system send this signal to the calling process when its parent dies. Linux only; call it in the child."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restart_at: float | None = None
    pause: float = FIRST_PAUSE


@dataclass
class Supervisor:
    """Run programs as children. `say` gets one sentence for each event that an operator should know."""

    say: Callable[[str], object]
    environment: Mapping[str, str]
    folder: Path
    grace: float = 30.0
    _children: list[_Child] = field(default_factory=list, init=False)

    def start(self, program: Program) -> None:
        child = _Child(program)
        self._children.append(child)
        self._run(child)

    def check(self) -> None:
        """Restart children that exited, after a pause that grows while they keep exiting."""
        now = time.monotonic()
        for child in self._children:
            if child.restart_at is not None:
                if now >= child.restart_at:
                    self._run(child)
            elif child.process is not None and child.process.poll() is not None:
                if now - child.started > STEADY_AFTER:
                    child.pause = FIRST_PAUSE
                how = _describe_exit(child.process.returncode)
                self.say(f"The {child.program.name} {how}; restarting it in {child.pause:g} s.")
                child.restart_at = now + child.pause
                child.pause = min(child.pause * 2, LONGEST_PAUSE)

    def pid(self, name: str) -> int:
        """Return the process id of a program. Raises KeyError for a name that was not started."""
        for child in self._children:
            if child.program.name == name and child.process is not None:
                return child.process.pid
        raise KeyError(name)

    def stop(self) -> None:
        """Stop all programs: SIGTERM, and SIGKILL after `grace` seconds."""
        running = [
            child for child in self._children if child.process and child.process.poll() is None
        ]
        for child in running:
            assert child.process is not None
            child.process.terminate()
        deadline = time.monotonic() + self.grace
        for child in running:
            assert child.process is not None
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(
                    f"The {child.program.name} did not stop within {self.grace:g} s; killing it."
                )
                child.process.kill()
                child.process.wait()
        self._children.clear()

    def _run(self, child: _Child) -> None:
        child.started, child.restart_at = time.monotonic(), None
        child.process = subprocess.Popen(
            child.program.command,
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for this process, which stops the children in order
            preexec_fn=partial(die_with_parent, signal.SIGTERM),
        )


def _describe_exit(returncode: int) -> str:
    if returncode < 0:
        return f"was killed by {signal.Signals(-returncode).name}"
    return f"exited with code {returncode}"
