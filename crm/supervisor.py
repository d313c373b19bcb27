"""Child processes kept running: started apart from the terminal, restarted when they die, ended in order."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from crm.processes import die_with_parent

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
STEADY_AFTER = 30.0  # a program that ran so long has shown that it can


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_again: float | None = None
    pause: float = FIRST_PAUSE


@dataclass
class Supervisor:
    """Runs programs as children. `say` gets one sentence for each thing a person should know."""

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
        """Say which children have died, and start them again after a pause that grows while they keep dying."""
        now = time.monotonic()
        for child in self._children:
            if child.start_again is not None:
                if now >= child.start_again:
                    self._run(child)
            elif child.process is not None and child.process.poll() is not None:
                if now - child.started > STEADY_AFTER:
                    child.pause = FIRST_PAUSE
                how = _ending(child.process.returncode)
                self.say(f"The {child.program.name} {how}; starting it again in {child.pause:g} s.")
                child.start_again = now + child.pause
                child.pause = min(child.pause * 2, LONGEST_PAUSE)

    def pid(self, name: str) -> int:
        """The process id of a program's main process. Raises KeyError for a name that was not started."""
        for child in self._children:
            if child.program.name == name and child.process is not None:
                return child.process.pid
        raise KeyError(name)

    def stop(self) -> None:
        """Ask every main process to finish what it has in hand; after `grace` seconds end the rest."""
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
                    f"The {child.program.name} did not finish within {self.grace:g} s; ending it."
                )
                child.process.kill()
                child.process.wait()
        self._children.clear()

    def _run(self, child: _Child) -> None:
        child.started, child.start_again = time.monotonic(), None
        child.process = subprocess.Popen(
            child.program.command,
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # the terminal's Ctrl-C is for us, who end them in order
            preexec_fn=partial(die_with_parent, signal.SIGTERM),
        )


def _ending(returncode: int) -> str:
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"ended with exit code {returncode}"
