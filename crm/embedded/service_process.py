"""Run an embedded service: start it, restart it when it exits, stop it when no process uses it."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from crm.embedded.postgres import Postgres
from crm.embedded.redis import Redis
from crm.embedded.reference_count import EmbeddedError
from crm.embedded.service import Service

SERVICES: dict[str, type[Service]] = {"postgres": Postgres, "redis": Redis}
NEEDED_MEGABYTES = 100

logger = logging.getLogger("crm.embedded")


def keep(service: Service) -> None:
    """Run a service until no process uses it."""
    with (
        (service.folder / "keeper").open("w") as alive,
        (service.folder / "members").open() as members,
    ):
        fcntl.flock(alive, fcntl.LOCK_EX)
        check_disk(service.folder)
        service.start()
        (service.folder / "url").write_text(service.url)
        _report("ready")
        while not _alone(members):
            if service.died():
                logger.error("%s exited; restarting it", service.name)
                _restart(service)
            time.sleep(0.1)
        service.stop()


def check_disk(folder: Path) -> None:
    """Raise EmbeddedError on a nearly full disk, while the log can still be written."""
    free = shutil.disk_usage(folder).free // 1024**2
    if free < NEEDED_MEGABYTES:
        raise EmbeddedError(
            f"The disk that holds {folder.parent} is full ({free} MB are free, {NEEDED_MEGABYTES} MB are needed): "
            "free some space, or set STATE_DIR to a folder on another disk."
        )


def _restart(service: Service) -> None:
    try:
        service.start()
    except EmbeddedError as error:
        logger.error("%s", error)
        time.sleep(1)


def _alone(members: object) -> bool:
    try:
        fcntl.flock(members, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]
    except BlockingIOError:
        return False
    return True


def _report(sentence: str) -> None:
    """Report one line to the process that started this one; it reads until the pipe closes."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--not-durable", dest="durable", action="store_false")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # processes that use the service may still write: they stop first
    service = SERVICES[arguments.service](arguments.folder, durable=arguments.durable)
    try:
        keep(service)
    except EmbeddedError as error:
        service.stop()
        _report(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
