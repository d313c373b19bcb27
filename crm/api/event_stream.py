"""Figures that move, as server-sent events (WHATWG HTML, 9.2): looked at every second, for a minute at most; clients come back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from django.http import StreamingHttpResponse

EVERY_SECONDS = 1.0
LONGEST_SECONDS = 60.0

Clock = Callable[[], float]
Look = Callable[[], tuple[str, bool]]
"""What is to be seen now, as an event, and whether it is the last."""


def event(name: str, text: str) -> str:
    """One event; a text of several lines is several fields of data, which arrive as the text."""
    return "".join([f"event: {name}\n", *(f"data: {line}\n" for line in text.split("\n")), "\n"])


def response(look: Look, *, clock: Clock = time.monotonic) -> StreamingHttpResponse:
    """Each second what is to be seen then, up to the last."""
    stream = StreamingHttpResponse(_events(look, clock), content_type="text/event-stream")
    stream.headers["Cache-Control"] = "no-cache"
    stream.headers["X-Accel-Buffering"] = "no"
    return stream


def _events(look: Look, clock: Clock) -> Iterator[str]:
    ends_at = clock() + LONGEST_SECONDS
    while clock() < ends_at:
        seen, last = look()
        yield seen
        if last:
            return
        time.sleep(EVERY_SECONDS)
