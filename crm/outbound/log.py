"""Log outgoing calls in batches; a failure is written at once, and old entries are deleted."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult

import requests
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from crm.chunked_delete import delete_in_chunks
from crm.outbound.models import ExternalServiceLog

logger = logging.getLogger(__name__)

MAX_WAITING = 100
MAX_TEXT = 1_000
MAX_BODY = 10_000


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    url: SplitResult
    body: object = None

    @property
    def target(self) -> str:
        """Return scheme and host; a path may contain a secret, as of push subscriptions and chat webhooks."""
        return f"{self.url.scheme}://{self.url.hostname or ''}{f':{self.url.port}' if self.url.port else ''}"


class Log:
    """The log of one session; bodies only with OUTBOUND_LOG_BODIES, and never with a secret."""

    def __init__(self, service: str, account: str, secrets: Iterable[str]) -> None:
        self._service, self._account = service, account
        self._secrets = [secret for secret in secrets if secret]
        self._waiting: list[ExternalServiceLog] = []

    def answered(self, call: Call, started: float, response: requests.Response) -> None:
        entry = self._entry(call, started)
        entry.status = response.status_code
        entry.size = len(response.content)
        if settings.OUTBOUND_LOG_BODIES:
            entry.response_body = self._clean(response.text)[:MAX_BODY]
        if not response.ok:
            entry.error = self._clean(response.text)[:MAX_TEXT]
        self._add(entry, at_once=not response.ok)

    def failed(self, call: Call, started: float, error: str) -> None:
        entry = self._entry(call, started)
        entry.error = self._without_path(call, error)[:MAX_TEXT]
        self._add(entry, at_once=True)

    def write(self) -> None:
        """Write the waiting entries; a failure is only logged."""
        waiting, self._waiting = self._waiting, []
        try:
            ExternalServiceLog.objects.bulk_create(waiting)
        except DatabaseError as error:
            logger.warning("%s outgoing calls are not in the log: %s", len(waiting), error)

    def _entry(self, call: Call, started: float) -> ExternalServiceLog:
        entry = ExternalServiceLog(
            at=timezone.now(),
            service=self._service,
            account=self._account,
            method=call.method,
            target=call.target[:MAX_TEXT],
            ms=round((time.monotonic() - started) * 1000),
        )
        if settings.OUTBOUND_LOG_BODIES:
            entry.request_body = self._clean(_text(call.body))[:MAX_BODY]
        return entry

    def _add(self, entry: ExternalServiceLog, *, at_once: bool) -> None:
        self._waiting.append(entry)
        if at_once or len(self._waiting) >= MAX_WAITING:
            self.write()

    def _without_path(self, call: Call, error: str) -> str:
        query = f"?{call.url.query}" if call.url.query else ""
        return self._clean(
            error.replace(f"{call.url.path}{query}", "/…") if call.url.path else error
        )

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "•••")
        return text.replace("\x00", "")


def _text(body: object) -> str:
    if isinstance(body, bytes):
        return body.decode("utf-8", "replace")
    return body if isinstance(body, str) else ""


def forget_before(then: datetime) -> int:
    """Delete log entries from before that time; return how many."""
    return delete_in_chunks(ExternalServiceLog.objects.filter(at__lt=then))
