"""Figures that move, as server-sent events (WHATWG HTML, 9.2)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder

from marketing.api.execution_serializers import realtime
from marketing.models import Campaign

EVERY_SECONDS = 1.0
LONGEST_SECONDS = 60.0

UNDER_WAY = frozenset({Campaign.State.RUNNING, Campaign.State.PAUSED, Campaign.State.SCHEDULED})


class EventStreamRenderer(BaseRenderer):
    """Lets a browser's EventSource ask for the stream by its Accept header; the view writes the stream itself."""

    media_type = "text/event-stream"
    format = "event-stream"
    charset = "utf-8"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return _event("problem", data).encode()


def response(
    campaign: Campaign, *, clock: Callable[[], float] = time.monotonic
) -> StreamingHttpResponse:
    """`progress` events a second apart until the campaign is at rest (a last `done`), or for a minute: clients come back."""
    stream = StreamingHttpResponse(_events(campaign, clock), content_type="text/event-stream")
    stream.headers["Cache-Control"] = "no-cache"
    stream.headers["X-Accel-Buffering"] = "no"
    return stream


def _events(campaign: Campaign, clock: Callable[[], float]) -> Iterator[str]:
    ends_at = clock() + LONGEST_SECONDS
    while clock() < ends_at:
        campaign.refresh_from_db(fields=["state"])
        if campaign.state not in UNDER_WAY:
            yield _event("done", realtime(campaign))
            return
        yield _event("progress", realtime(campaign))
        time.sleep(EVERY_SECONDS)


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data, cls=JSONEncoder)}\n\n"
