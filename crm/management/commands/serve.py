"""Run the whole site in the foreground: web, workers, beat and a mail catcher, on a prepared database."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.demo import made_shop
from crm.supervisor import Program, Supervisor

HOST = "127.0.0.1"
WEB_WORKER = "crm.gunicorn_worker.BufferingWorker"
WORKERS = {"sending": "sending", "feeds": "feeds", "jobs": "jobs,default"}
"""Name → queues. Each kind of work has a worker, so that none waits for another (crm.queues)."""
AS_ROOT_TOO = ("-W", "ignore:You're running the worker with superuser privileges")
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    help = gettext_lazy(  # type: ignore[assignment]
        "Prepare the database and run web, workers, beat and, with no EMAIL_URL, a mail catcher until Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
        parser.add_argument(
            "--demo", action="store_true", help=_("fill an empty database with sample data")
        )

    def handle(self, *args: Any, port: int, demo: bool, **options: Any) -> None:
        for number in ENDINGS:
            signal.signal(number, _end)
        with self._only_one():
            check_port(port)
            self._prepare(demo=demo)
            self._run(port, demo=demo)

    def say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()

    def _prepare(self, *, demo: bool) -> None:
        self.say(_("Preparing the database and the static files…"))
        call_command("migrate", verbosity=0, interactive=False)
        collect_static()
        if demo:
            call_command("load_sample_data", made_up=made_shop.CUSTOMERS, stdout=self.stdout)

    def _run(self, port: int, *, demo: bool) -> None:
        mail_port = None if os.environ.get("EMAIL_URL") else _free_port()
        supervisor = Supervisor(
            self.say, environment(port, mail_port, demo=demo), settings.BASE_DIR
        )
        announced = False
        try:
            for program in programs(port, mail_port):
                supervisor.start(program)
            while True:
                supervisor.check()
                if not announced and _is_ready(port):
                    announced = True
                    self._announce(port, catches_mail=mail_port is not None)
                time.sleep(0.25)
        finally:
            self.say(_("Stopping…"))
            supervisor.stop()

    def _announce(self, port: int, *, catches_mail: bool) -> None:
        self.say(
            _("Kindling is ready at http://%(host)s:%(port)s/ (Ctrl-C ends it).")
            % {"host": HOST, "port": port}
        )
        if catches_mail:
            self.say(
                _("Mail is not delivered: each message is a file in %s.")
                % (settings.STATE_DIR / "mail")
            )

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """Lock the state folder for one instance; the system releases the lock however this process ends."""
        path = settings.STATE_DIR / "lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise CommandError(
                    _(
                        "Kindling already runs on %(state)s (process %(pid)s): stop that one, "
                        "or set STATE_DIR to another folder."
                    )
                    % {"state": settings.STATE_DIR, "pid": lock.read().strip() or "?"}
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield


def environment(port: int, mail_port: int | None, *, demo: bool = False) -> dict[str, str]:
    """Return the environment of the site's programs."""
    variables = {**os.environ, "PORT": str(port)}
    if demo:
        variables["DEMO"] = "1"
    if mail_port:
        variables["EMAIL_URL"] = f"smtp://{HOST}:{mail_port}"
    return variables


def programs(port: int, mail_port: int | None) -> list[Program]:
    """Return the processes of a site: those that docker-compose.yml runs as services."""
    gunicorn = (sys.executable, "-m", "gunicorn", "crm.wsgi:application", "--log-level", "warning")
    worker = ("--worker-class", WEB_WORKER, "--workers", "2", "--threads", "16")
    running = [
        Program(
            "web server",
            (*gunicorn, "--bind", f"{HOST}:{port}", *worker),
        ),
        *workers_and_beat(),
    ]
    if mail_port:
        catcher = (sys.executable, "manage.py", "catch_mail", "--port", str(mail_port))
        running.insert(0, Program("mail catcher", catcher))
    return running


def workers_and_beat() -> list[Program]:
    celery = (sys.executable, *AS_ROOT_TOO, "-m", "celery", "--quiet", "--app", "crm")
    quiet = ("--loglevel", "WARNING")
    worker = (
        *celery,
        "worker",
        *quiet,
        "--concurrency",
        "2",
        "--without-gossip",
        "--without-mingle",
    )
    return [
        *(
            Program(f"{name} worker", (*worker, "--hostname", f"{name}@%h", "--queues", queues))
            for name, queues in WORKERS.items()
        ),
        Program("beat", (*celery, "beat", *quiet, "--pidfile=")),
    ]


def collect_static() -> None:
    """Run collectstatic, unless it ran on the very same files."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            digest.update(f"{path} {storage.get_modified_time(path)}\n".encode())
    stamp = settings.STATIC_ROOT / ".collected"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(digest.hexdigest())


def check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise CommandError(
                _(
                    "Port %(port)s is in use: stop what listens there, or choose another with PORT=%(other)s."
                )
                % {"port": port, "other": port + 1}
            ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _end(*_received: object) -> NoReturn:
    """Exit once: stopping has time limits of its own, so a second Ctrl-C changes nothing."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)
