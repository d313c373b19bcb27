"""How long to wait before a message is tried again."""

from __future__ import annotations

import random
from datetime import timedelta

from django.conf import settings

LONGEST_RETRY = timedelta(hours=1)


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after the given number of attempts: exponential, with full jitter.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    first = timedelta(seconds=settings.SENDING_FIRST_RETRY_SECONDS)
    ceiling = min(first * 2 ** min(attempts - 1, 10), LONGEST_RETRY)
    return ceiling * random.random()  # noqa: S311
