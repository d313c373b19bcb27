"""Server-sent events (WHATWG HTML, 9.2) of changing figures: every second, for at most a minute; clients reconnect.

A stream occupies a thread of the web server. A process holds few of them open, and fewer of one user, so that other requests find a free
thread; any further stream gets the figures of now, ends, and reconnects later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from django.http import StreamingHttpResponse

from crm.api.places import Places

EVERY_SECONDS = 1.0
LONGEST_SECONDS = 60.0
HELD_OPEN = Places(most=3, most_a_user=2)
RECONNECT_MS = 10_000
"""When a stream that was not held open reconnects, in milliseconds."""

Clock = Callable[[], float]
Look = Callable[[], tuple[str, bool]]
"""Returns the present figures as an event, and whether it is the last."""


def event(name: str, text: str) -> str:
    """Format an event; each line of the text is a field of data."""
    return "".join([f"event: {name}\n", *(f"data: {line}\n" for line in text.split("\n")), "\n"])


def response(look: Look, user: object, *, clock: Clock = time.monotonic) -> StreamingHttpResponse:
    """Stream the events of `look` to a user, one a second, up to the last."""
    stream = StreamingHttpResponse(_events(look, user, clock), content_type="text/event-stream")
    stream.headers["Cache-Control"] = "no-cache"
    stream.headers["X-Accel-Buffering"] = "no"
    return stream


def _events(look: Look, user: object, clock: Clock) -> Iterator[str]:
    if not HELD_OPEN.take(user):
        yield f"retry: {RECONNECT_MS}\n{look()[0]}"
        return
    try:
        ends_at = clock() + LONGEST_SECONDS
        while clock() < ends_at:
            seen, last = look()
            yield seen
            if last:
                return
            time.sleep(EVERY_SECONDS)
    finally:
        HELD_OPEN.leave(user)
