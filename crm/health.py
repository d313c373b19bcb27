"""Report whether the process is alive (/healthz) and whether the parts it needs answer (/readyz)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from celery.signals import worker_ready
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

FRESH = timedelta(
    seconds=30
)  # six heartbeats; a worker busy with one long task on each process may miss some


class HealthMiddleware:
    """Answer /healthz and /readyz before any check of host and scheme: probes come from inside, past the proxy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return PROBES.get(request.path, self.get_response)(request)


def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers at all."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Return each part's state as {"database": "ok", …}; 200 when all are ok, else 503.

    A feed that stands still or fails is named, and leaves the site ready: its pages need none.
    """
    parts = {name: "ok" if check() else "not ok" for name, check in PARTS.items()}
    ready = all(state == "ok" for state in parts.values())
    parts["feeds"] = _feeds()
    return JsonResponse({"ready": ready, **parts}, status=200 if ready else 503)


class FaultsOnly(logging.Filter):
    """Drop log records of /readyz: its 503 while a site starts is no fault."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        return getattr(request, "path", "") != "/readyz"


def note(part: str, when: datetime | None = None) -> None:
    """Note that `part` ("worker" or "beat") was alive at `when`, by default now."""
    cache.set(_key(part), (when or timezone.now()).timestamp(), timeout=FRESH.seconds)


def _key(part: str) -> str:
    return f"health:{part}"


def _noted(part: str) -> bool:
    seen = cache.get(_key(part))
    return seen is not None and timezone.now() - datetime.fromtimestamp(seen, UTC) < FRESH


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _broker() -> bool:
    return cache.get("health:nothing") is None


def _feeds() -> str:
    from crm.events import lag  # needs models; the settings of logging name this module

    try:
        troubled = [each.subscriber.name for each in lag.troubled()]
    except DatabaseError:
        return "not ok"
    return f"not ok: {', '.join(troubled)}" if troubled else "ok"


def _answers(check: Callable[[], bool]) -> Callable[[], bool]:
    """Return `check` with every exception as its no: this page reports faults and has none."""

    def safe() -> bool:
        try:
            return check()
        except Exception:
            return False

    return safe


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {"/healthz": healthz, "/readyz": readyz}

PARTS: dict[str, Callable[[], bool]] = {
    "database": _answers(_database),
    "broker": _answers(_broker),
    "worker": _answers(lambda: _noted("worker")),
    "beat": _answers(lambda: _noted("beat")),
}


@worker_ready.connect
def _note_worker(**kwargs: object) -> None:
    note("worker")
