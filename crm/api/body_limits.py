"""Refuse bodies over the limit of their path with 413; no more of them than a block is in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from tempfile import SpooledTemporaryFile
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from crm.api.problems import too_large

MIB = 1024 * 1024
LIMITS = {"/api/auth/": MIB, "/api/": None, "/admin/": None, "/v1/": 5 * MIB, "/hooks/": 10 * MIB}
"""The first that fits a path counts; None is DATA_UPLOAD_MAX_MEMORY_SIZE. The view of /v1 reads no more than its own, lower limit."""
BLOCK = 64 * 1024
DISCARDED = 256 * MIB
DISCARD_SECONDS = 10
STALLED_SECONDS = 10
ANYBODY = MIB
"""The limit of all other paths: strangers post no more than short forms there."""


class BodyLimitMiddleware:
    """Refuse by Content-Length. It comes after authentication: only users and tokens may upload files of IMPORT_MAX_FILE_MB."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = _length(request)
        if length > limit_of(request.path) and not (
            length <= (settings.IMPORT_MAX_FILE_MB + 1) * MIB and _may_upload(request)
        ):
            _discard(request.META, request.read)
            return too_large(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a body that did not come in time with 408."""
        return HttpResponse(status=408) if isinstance(error, UnreadablePostError) else None


class TimelyBodies:
    """Wait no longer than STALLED_SECONDS for the next piece of a body: a client that sends none holds a thread of gunicorn."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if connection := environ.get("gunicorn.socket"):
            connection.settimeout(STALLED_SECONDS)
        return self.application(environ, start_response)


class ChunkedBodies:
    """Give a body in chunks a Content-Length, without which Django reads none; of a larger one, read to the limit alone."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            return self.application(environ, start_response)
        with SpooledTemporaryFile(MIB) as body:
            most = limit_of(environ.get("PATH_INFO", ""))
            while body.tell() <= most and (block := environ["wsgi.input"].read(BLOCK)):
                body.write(block)
            if body.tell() > most:
                _discard(environ, environ["wsgi.input"].read)
            environ["CONTENT_LENGTH"] = str(body.tell())
            body.seek(0)
            environ["wsgi.input"] = body
            return self.application(environ, start_response)


def _discard(environ: Mapping[str, Any], read: Callable[[int], bytes]) -> None:
    """Read the rest of a body for some time, unless the server does: most clients read an answer only when they have sent everything."""
    if getattr(environ.get("gunicorn.socket"), "discards_bodies", False):
        return
    deadline, rest = time.monotonic() + DISCARD_SECONDS, DISCARDED
    while rest > 0 and time.monotonic() < deadline and (block := read(BLOCK)):
        rest -= len(block)


def limit_of(path: str) -> int:
    """Return the bytes that a body may have."""
    limit = next((each for area, each in LIMITS.items() if path.startswith(area)), ANYBODY)
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE if limit is None else limit


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _may_upload(request: HttpRequest) -> bool:
    """Return whether the body is a form with files, which go to disk, at a path for users; an unknown token is refused unread."""
    return (
        request.content_type == "multipart/form-data"
        and limit_of(request.path) == settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        and (request.user.is_authenticated or "Authorization" in request.headers)
    )
