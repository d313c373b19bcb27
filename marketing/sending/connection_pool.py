"""Connections to a provider side by side, each used by a thread of its own: a slow answer holds up one message, not all."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

from django.db import connections

from marketing.channels.base import Connection, Message
from marketing.messages.transitions import Ended
from marketing.sending.attempt import hand_over
from marketing.sending.claimed_message import Held


class Lanes:
    """Open lanes; `width` is how many. Raises TransientError when the provider gives not even one connection.

    A provider that allows fewer connections than asked for is used with those. Used as a context manager, leaving it waits for what is
    on its way.
    """

    def __init__(self, connect: Callable[[], Connection], wanted: int, *, idempotent: bool) -> None:
        self._connect = connect
        self._idempotent = idempotent
        self._opened: SimpleQueue[Exception | None] = SimpleQueue()
        self._todo: SimpleQueue[tuple[Held, Message] | None] = SimpleQueue()
        self._ended: SimpleQueue[Ended] = SimpleQueue()
        self._in_flight = 0
        self.seconds = 0.0
        """How long the latest message took."""
        self._threads = [Thread(target=self._lane, daemon=True) for _n in range(wanted)]
        for thread in self._threads:
            thread.start()
        failures = [self._opened.get() for _thread in self._threads]
        self.width = failures.count(None)
        if not self.width:
            self._join()
            raise next(error for error in failures if error)

    @property
    def free(self) -> int:
        return self.width - self._in_flight

    @property
    def idle(self) -> bool:
        return not self._in_flight

    def hand_over(self, execution: Held, message: Message) -> None:
        """Let a free lane send the message."""
        self._in_flight += 1
        self._todo.put((execution, message))

    def ended(self, wait: float | None, linger: float = 0) -> list[Ended]:
        """What has come to an end since; where nothing has, wait for the first, `wait` seconds at most (None: as long as it takes), and
        for each of the others `linger` seconds more."""
        if self.idle:
            time.sleep(wait or 0)
            return []
        ended: list[Ended] = []
        try:
            while self._in_flight:
                ended.append(self._ended.get(block=wait != 0, timeout=wait))
                self._in_flight -= 1
                wait = linger
        except Empty:
            pass
        return ended

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for _n in range(self.width):
            self._todo.put(None)
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _lane(self) -> None:
        try:
            self._serve()
        finally:
            connections.close_all()

    def _serve(self) -> None:
        try:
            provider = self._connect()
        except Exception as error:
            self._opened.put(error)
            return
        self._opened.put(None)
        with provider:
            while job := self._todo.get():
                execution, message = job
                started = time.monotonic()
                outcome = hand_over(
                    provider, message, attempts=execution.attempts, idempotent=self._idempotent
                )
                self.seconds = time.monotonic() - started
                self._ended.put((execution, outcome))
