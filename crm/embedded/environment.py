"""Complete the environment: start services, and set their URLs and a secret key."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import environ

from crm.embedded.reference_count import EmbeddedError, join

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def provide(*, durable: bool = True) -> None:
    """Set DATABASE_URL, REDIS_URL and SECRET_KEY where they are not set, and start the services.

    Runs before crm.env, which reads the environment once. A site with a DATABASE_URL must set its SECRET_KEY itself: all its machines
    need the same one. `durable=False` gives up crash safety for speed, for tests. Raises SystemExit with one sentence for the operator if
    a service does not start.
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
    """Create the state folder, and keep it out of any repository: it holds a database and a key."""
    if not state.exists():
        state.mkdir(parents=True, exist_ok=True)
        (state / ".gitignore").write_text("*\n")


def _secret_key(path: Path) -> str:
    """Return the key stored in `path`; the first process creates it, linked into place so that none reads half of it."""
    if not path.exists():
        making = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            os.link(making, path)
        making.unlink()
    return path.read_text()
