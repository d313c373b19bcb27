"""Retry while the database is unreachable: results of messages that left must not be lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.25

T = TypeVar("T")


def with_retry(work: Callable[[], T]) -> T:
    """Run work that is one transaction and idempotent, again when the connection broke, for as long as a lease lasts.

    Raises the database's error after that.
    """
    deadline = time.monotonic() + settings.SENDING_LEASE_SECONDS
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            logger.warning("The database is unreachable: %s", str(error).strip())
            connection.close()
            time.sleep(PAUSE_SECONDS)
