"""What the environment lacks, provided: services, their URLs and a secret key."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import environ

from crm.embedded.reference_count import EmbeddedError, join

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def provide(*, durable: bool = True) -> None:
    """Set DATABASE_URL, REDIS_URL and SECRET_KEY where they are not set, starting what they name. A site with a database of its own
    has to say its SECRET_KEY itself: it may have other machines, which would make others.

    Runs before crm.env, which reads the environment once. `durable=False` trades a crash's safety
    for speed, for tests. What could not be started ends the process with one sentence.
    """
    environ.Env.read_env(str(BASE_DIR / ".env"))
    state = Path(os.environ.get("STATE_DIR") or BASE_DIR / "var").resolve()
    try:
        _make(state)
        if not (os.environ.get("SECRET_KEY") or os.environ.get("DATABASE_URL")):
            os.environ["SECRET_KEY"] = _secret_key(state / "secret_key")
        if not os.environ.get("DATABASE_URL"):
            os.environ["DATABASE_URL"] = join("postgres", state, durable=durable)
        if not os.environ.get("REDIS_URL"):
            os.environ["REDIS_URL"] = join("redis", state, durable=durable)
    except OSError as error:
        raise SystemExit(f"Kindling cannot use {state}: {error.strerror}.") from error
    except EmbeddedError as error:
        raise SystemExit(str(error)) from error


def _make(state: Path) -> None:
    """A folder of ours is kept out of whatever repository it is in, as it holds a database and a key."""
    if not state.exists():
        state.mkdir(parents=True, exist_ok=True)
        (state / ".gitignore").write_text("*\n")


def _secret_key(path: Path) -> str:
    """The key kept in `path`, made by whoever asks first: linked into place whole, never half written."""
    if not path.exists():
        making = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            os.link(making, path)
        making.unlink()
    return path.read_text()
