"""Every worker honours the Retry-After of a 429, and the provider gets every message in the end."""

from __future__ import annotations

import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler

import pytest

from customers.models.consent import Channel
from tests.faults.processes import running, wait_until, worker
from tests.faults.runs import addresses, is_finished, launched
from tests.http_stub import serving

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

MESSAGES = 60
TAKES_FIRST = 20
RETRY_AFTER = 3
BODY = '{"to": "{{ customer.id }}"}'


class Throttle:
    """Accept some messages, then answer 429 until the time is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.taken: Counter[str] = Counter()
        self.closed_at = 0.0
        self.refused_at: list[float] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        if self._admits(handler.headers["Idempotency-Key"]):
            handler.send_response(204)
        else:
            handler.send_response(429)
            handler.send_header("Retry-After", str(RETRY_AFTER))
            handler.send_header("Content-Length", "0")
        handler.end_headers()

    def _admits(self, key: str) -> bool:
        with self._lock:
            now = time.monotonic()
            if not self.closed_at and len(self.taken) >= TAKES_FIRST:
                self.closed_at = now
            if self.closed_at and now < self.closed_at + RETRY_AFTER:
                self.refused_at.append(now)
                return False
            self.taken[key] += 1
            return True


def test_workers_honour_retry_after_and_send_everything() -> None:
    throttle = Throttle()
    with serving() as provider:
        provider.answer = throttle.answer
        run = launched(
            MESSAGES,
            body=BODY,
            provider="webhook",
            channel=Channel.WEBHOOK,
            settings={"url": provider.url},
        )
        with running(worker(processes=2, OUTBOUND_ALLOW_PRIVATE="true")):
            wait_until(lambda: is_finished(run))

    assert len(addresses(run, "sent")) == MESSAGES
    assert sum(throttle.taken.values()) == len(throttle.taken) == MESSAGES
    # those on their way at that moment, of two workers with four connections each
    assert len(throttle.refused_at) <= 8
    assert max(throttle.refused_at) - throttle.closed_at < RETRY_AFTER / 2
