"""The embedded PostgreSQL and Redis start, stop and recover in folders of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from django.conf import settings

pytestmark = pytest.mark.fault

SHOW = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'], os.environ['SECRET_KEY'])"
WRITE = "from django.core.cache import cache; cache.set('told', 'yes', None)"
READ = "from django.core.cache import cache; print(cache.get('told'))"
COUNT = "from django.contrib.sites.models import Site; print(Site.objects.count())"


def environment(state: Path) -> dict[str, str]:
    """Return the environment of a bare machine: an empty variable counts as unset, here and in .env."""
    bare = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SECRET_KEY"), "")
    return {**os.environ, **bare, "STATE_DIR": str(state)}


def manage(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=environment(state),
        capture_output=True,
        text=True,
        timeout=120,
    )


def migrate(state: Path) -> None:
    """Make the tables of one app; the roles, which are saved afterwards, lack theirs."""
    done = manage(state, "migrate", "sites", "-v", "0")
    assert done.returncode == 0 or 'relation "auth_group" does not exist' in done.stderr, (
        done.stderr
    )


def shell(state: Path, code: str) -> str:
    done = manage(state, "shell", "-v", "0", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def processes(state: Path) -> list[psutil.Process]:
    """Return the processes that name this state folder in their command line."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if str(state) in " ".join(process.info["cmdline"] or ())
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_services_stop_after_the_only_command(state: Path) -> None:
    database, broker, key = shell(state, SHOW).split()

    assert database.startswith("postgres://")
    assert broker.startswith("unix://")
    assert len(key) >= 50
    assert (state / "secret_key").stat().st_mode & 0o777 == 0o600
    assert (state / ".gitignore").read_text() == "*\n"
    assert processes(state) == []


def test_data_outlives_the_processes(state: Path) -> None:
    migrate(state)

    assert shell(state, COUNT) == "1"


def test_a_second_command_uses_the_services_of_the_first(state: Path) -> None:
    first = subprocess.Popen(
        [
            sys.executable,
            "manage.py",
            "shell",
            "-v",
            "0",
            "-c",
            f"{WRITE}; print('on', flush=True); input(); {READ}",
        ],
        cwd=settings.BASE_DIR,
        env=environment(state),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "on\n"

    assert shell(state, READ) == "yes"

    out, _ = first.communicate("\n", timeout=60)
    assert out.strip() == "yes"
    assert processes(state) == []


def test_a_killed_command_leaves_no_process(state: Path) -> None:
    done = manage(state, "shell", "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")

    assert done.returncode == -signal.SIGKILL
    assert_soon(lambda: processes(state) == [])


def test_services_recover_from_a_crash_of_everything(state: Path) -> None:
    migrate(state)
    manage(
        state,
        "shell",
        "-c",
        "import os, psutil\nfor child in psutil.Process().children(recursive=True): child.kill()\nos.kill(os.getpid(), 9)",
    )
    assert (state / "postgres" / "data" / "postmaster.pid").exists()

    assert shell(state, COUNT) == "1"


def test_postgres_starts_despite_a_stale_pid_file(state: Path) -> None:
    shell(state, "pass")
    pid_file = state / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1\n5432\n\n\n\nready\n")

    shell(state, "pass")


def test_a_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    state = tmp_path / ("d" * 100) / ("e" * 100)

    migrate(state)

    assert shell(state, COUNT) == "1"


def test_an_unusable_state_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    done = manage(tmp_path / "file" / "state", "check")

    assert done.returncode == 1
    assert done.stderr.strip().startswith("Kindling cannot use ")
    assert len(done.stderr.strip().splitlines()) == 1


def assert_soon(true: Callable[[], bool], within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)
