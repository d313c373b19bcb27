"""The embedded services under the tests, and Django set up on them.

They live in a folder of their own (STATE_DIR/test), so a running demo is never touched; a second run at the same
time gets a folder that is thrown away. Each of pytest-xdist's workers has services of its own: the outbox waits for
the oldest transaction of the whole server, and another worker's tests are such transactions.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

import django

from crm import embedded

ROOT = Path(__file__).resolve().parent.parent
THROWN_AWAY = "kindling-test-"

_folder: Path | None = None
_lock: int | None = None


def start() -> None:
    global _folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        _folder = Path(os.environ["STATE_DIR"]) / worker
        os.environ.update(DATABASE_URL="", REDIS_URL="")
    else:
        _folder = _own_folder()
        for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL"):
            os.environ.setdefault(name, "")  # what .env names is not for tests
    os.environ["STATE_DIR"] = str(_folder)
    os.environ.setdefault("SECRET_KEY", "of tests alone, and of no other use at all")
    os.environ.update(GOOGLE_CLIENT_ID="kindling-tests", GOOGLE_CLIENT_SECRET="of tests alone")
    embedded.provide(durable=False)
    django.setup()
    # a worker that inherits it would read the settings before it has services of its own
    del os.environ["DJANGO_SETTINGS_MODULE"]


def stop() -> None:
    embedded.leave()
    if _folder and _folder.name.startswith(THROWN_AWAY):
        shutil.rmtree(_folder, ignore_errors=True)


def _own_folder() -> Path:
    global _lock
    folder = Path(os.environ.get("STATE_DIR") or ROOT / "var").resolve() / "test"
    folder.mkdir(parents=True, exist_ok=True)
    _lock = os.open(folder / "run", os.O_CREAT | os.O_WRONLY)  # held until this process ends
    try:
        fcntl.flock(_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Path(tempfile.mkdtemp(prefix=THROWN_AWAY))
    return folder
