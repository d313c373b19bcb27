"""The progress of a campaign as a stream of events."""

from __future__ import annotations

import json
import time
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder

from crm.api import event_stream
from marketing.api.executions import realtime
from marketing.models import Campaign

UNDER_WAY = frozenset({Campaign.State.RUNNING, Campaign.State.PAUSED, Campaign.State.SCHEDULED})


class EventStreamRenderer(BaseRenderer):
    """Accept the Accept header of a browser's EventSource; the view writes the stream itself."""

    media_type = "text/event-stream"
    format = "event-stream"
    charset = "utf-8"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return _event("problem", data).encode()


def response(
    campaign: Campaign, user: object, *, clock: event_stream.Clock = time.monotonic
) -> StreamingHttpResponse:
    """Yield `progress` events, one a second, until the campaign rests (a last `done`) or a minute has passed: clients reconnect."""

    def look() -> tuple[str, bool]:
        campaign.refresh_from_db(fields=["state"])
        done = campaign.state not in UNDER_WAY
        return _event("done" if done else "progress", realtime(campaign)), done

    return event_stream.response(look, user, clock=clock)


def _event(name: str, data: Any) -> str:
    return event_stream.event(name, json.dumps(data, cls=JSONEncoder))
