"""Connections to a provider, each used by a thread of its own: a slow answer delays one message, not all."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import connections
from django.utils import timezone

from marketing.channels import (
    AccountError,
    Connection,
    Message,
    PermanentError,
    ReceiptKind,
    TransientError,
    UncertainError,
)
from marketing.messages.plan import ClaimedMessage
from marketing.messages.transitions import SendResult
from marketing.models import CampaignExecution

State = CampaignExecution.State
ErrorKind = CampaignExecution.ErrorKind

ERROR_KINDS = {
    ReceiptKind.BOUNCED_HARD: ErrorKind.HARD_BOUNCE,
    ReceiptKind.BOUNCED_SOFT: ErrorKind.SOFT_BOUNCE,
    ReceiptKind.BLOCKED: ErrorKind.BLOCKED,
    ReceiptKind.UNSUBSCRIBED: ErrorKind.UNWANTED,
}

logger = logging.getLogger(__name__)

Finished = tuple[ClaimedMessage, SendResult]


class ConnectionPool:
    """Open connections; `size` is how many. Raises TransientError when the provider accepts not even one.

    A provider that accepts fewer than `wanted` is used with those. On exit the pool waits for the messages in flight.
    """

    def __init__(self, connect: Callable[[], Connection], wanted: int, *, idempotent: bool) -> None:
        self._connect = connect
        self._idempotent = idempotent
        self._opened: SimpleQueue[Exception | None] = SimpleQueue()
        self._todo: SimpleQueue[tuple[ClaimedMessage, Message] | None] = SimpleQueue()
        self._finished: SimpleQueue[Finished] = SimpleQueue()
        self._in_flight = 0
        self.seconds = 0.0
        """How long the latest message took."""
        self._threads = [Thread(target=self._run, daemon=True) for _n in range(wanted)]
        for thread in self._threads:
            thread.start()
        failures = [self._opened.get() for _thread in self._threads]
        self.size = failures.count(None)
        if not self.size:
            self._join()
            raise next(error for error in failures if error)

    @property
    def free(self) -> int:
        return self.size - self._in_flight

    @property
    def idle(self) -> bool:
        return not self._in_flight

    def submit(self, claimed: ClaimedMessage, message: Message) -> None:
        """Send the message by a free connection."""
        self._in_flight += 1
        self._todo.put((claimed, message))

    def finished(self, timeout: float | None, linger: float = 0) -> list[Finished]:
        """Return the messages that finished since the last call, with their results.

        Waits `timeout` seconds for the first (None: until there is one), and `linger` seconds for each of the others.
        """
        if self.idle:
            time.sleep(timeout or 0)
            return []
        finished: list[Finished] = []
        try:
            while self._in_flight:
                finished.append(self._finished.get(block=timeout != 0, timeout=timeout))
                self._in_flight -= 1
                timeout = linger
        except Empty:
            pass
        return finished

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for _n in range(self.size):
            self._todo.put(None)
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
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
                claimed, message = job
                started = time.monotonic()
                result = attempt(
                    provider, message, attempts=claimed.attempts, idempotent=self._idempotent
                )
                self.seconds = time.monotonic() - started
                self._finished.put((claimed, result))


def attempt(
    connection: Connection, message: Message, *, attempts: int, idempotent: bool = False
) -> SendResult:
    """Send the message and return the result; raises nothing.

    `attempts` counts this one; at settings.SENDING_MAX_ATTEMPTS a transient error is final. An `idempotent` provider is asked again
    after an uncertain one.
    """
    try:
        receipt = connection.send(message)
    except AccountError as error:
        return _transient(error, attempts, error.retry_after, kind=ErrorKind.ACCOUNT)
    except TransientError as error:
        return _transient(error, attempts, error.retry_after)
    except PermanentError as error:
        kind = ERROR_KINDS.get(error.kind, ErrorKind.REFUSED)
        return SendResult(State.FAILED, timezone.now(), error=str(error), error_kind=kind)
    except UncertainError as error:
        return _transient(error, attempts) if idempotent else _uncertain(error)
    except Exception as error:
        logger.exception("The provider's module failed on message %s", message.key)
        return _uncertain(error)
    return SendResult(State.SENT, timezone.now(), provider_id=receipt.provider_id)


def _transient(
    error: Exception,
    attempts: int,
    retry_after: float | None = None,
    *,
    kind: ErrorKind = ErrorKind.TEMPORARY,
) -> SendResult:
    is_last = attempts >= settings.SENDING_MAX_ATTEMPTS
    return SendResult(
        State.FAILED if is_last else State.RETRY,
        timezone.now(),
        error=str(error),
        error_kind=kind,
        retry_after=retry_after,
    )


def _uncertain(error: Exception) -> SendResult:
    return SendResult(
        State.UNCONFIRMED, timezone.now(), error=str(error), error_kind=ErrorKind.LOST
    )
