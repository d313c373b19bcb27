"""A database that is away for a moment: whoever holds outcomes that only it can keep waits for it."""

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


def patiently(work: Callable[[], T]) -> T:
    """Do work that is one transaction and harmless to repeat; again when the connection broke, for as long as a lease lasts.

    Raises what the database raised when that is not enough.
    """
    deadline = time.monotonic() + settings.SENDING_LEASE_SECONDS
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            logger.warning("The database is away: %s", str(error).strip())
            connection.close()
            time.sleep(PAUSE_SECONDS)
