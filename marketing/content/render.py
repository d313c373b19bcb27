"""Render one version of a message for many people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from marketing.content import build, links, liquid
from marketing.content.context import shared_context
from marketing.content.liquid import ContentError
from marketing.content.tokens import Purpose, signed_url, url_signer
from marketing.models.template import Content

MAX_LINKS = 5_000
"""The most links of one message."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as one person gets it. `links` are the addresses of its tracked links by position, but for those of its version."""

    subject: str
    html: str
    text: str
    link: str = ""
    links: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tracking:
    """The addresses that one recipient's message carries, and its id, which its tracked links name."""

    unsubscribe: str
    pixel: str = ""
    trap: str = ""
    execution_id: int = 0


def tracking_for(execution_id: int) -> Tracking:
    """Return the signed addresses of one message."""
    return Tracking(
        unsubscribe=signed_url(Purpose.UNSUBSCRIBE, execution_id),
        pixel=signed_url(Purpose.OPEN, execution_id),
        trap=signed_url(Purpose.CLICK, execution_id),
        execution_id=execution_id,
    )


class Renderer:
    """Renders a content for many people.

    With `tracked` (the addresses of its version's links, in order) its links lead through us and a pixel is added; without, as in a
    preview, links stay what they are. Raises ContentError when it cannot be read.
    """

    def __init__(
        self, content: Content, *, campaign_name: str, tracked: Sequence[str] | None = None
    ) -> None:
        source = build.of(content)
        html, text, link = source.html, source.text, source.link
        if tracked is not None:
            html = with_traces(links.mark_html(html)) if html else ""
            text, link = links.mark_text(text), links.mark(link)
        self._positions = (
            None
            if tracked is None
            else {address: place for place, address in enumerate(tracked, start=1)}
        )
        self._sign = url_signer(Purpose.CLICK)
        self._shared = shared_context(campaign_name)
        self._subject = liquid.compile_template(source.subject, html=False)
        self._html = liquid.compile_template(html, html=True) if html else None
        self._is_json = links.JSON_CAPTURE in text
        self._text = liquid.compile_template(text, html=False)
        self._link = liquid.compile_template(link, html=False) if link else None

    def render(self, recipient: Mapping[str, Any], tracking: Tracking) -> Rendered:
        """Return the message for one person. Raises ContentError when it cannot be rendered for them."""
        context = {
            **self._shared,
            **recipient,
            "unsubscribe_url": tracking.unsubscribe,
            "pixel_url": tracking.pixel,
            "trap_url": tracking.trap,
        }
        subject = " ".join(liquid.render(self._subject, context).split())
        html = liquid.render(self._html, context) if self._html else ""
        text = liquid.render(self._text, context)
        link = liquid.render(self._link, context) if self._link else ""
        if self._positions is None:
            return Rendered(subject, html, text, link)
        tracker = _Tracker(self._positions, tracking, self._sign)
        track_text = tracker.track
        if self._is_json:
            text, track_text = links.unescape_json_marks(text), tracker.track_json
        return Rendered(
            subject,
            links.replace_marked(html, tracker.track_attribute),
            links.replace_marked(text, track_text),
            links.replace_marked(link, tracker.track),
            tracker.own,
        )


class _Tracker:
    """Replaces the links of one message, and records the addresses that its version does not have."""

    def __init__(
        self, positions: Mapping[str, int], tracking: Tracking, sign: Callable[[int, int], str]
    ) -> None:
        self.own: dict[int, str] = {}
        self._positions = positions
        self._tracking = tracking
        self._sign = sign
        self._tracked: dict[str, str] = {}

    def track_attribute(self, value: str) -> str:
        return self._replace(value, links.address_of(value))

    def track(self, written: str) -> str:
        return self._replace(written, written.strip())

    def track_json(self, written: str) -> str:
        return self._replace(written, json.loads(f'"{written}"').strip())

    def _replace(self, written: str, address: str) -> str:
        url = self._tracked.get(address)
        if url is None:
            position = self._positions.get(address)
            if position is None:
                if not links.WEB.match(address) or address.startswith(self._tracking.unsubscribe):
                    return written
                position = self._note(address)
            url = self._sign(self._tracking.execution_id, position)
            self._tracked[address] = url
        return url

    def _note(self, address: str) -> int:
        if len(self.own) == MAX_LINKS:
            raise ContentError(_("It has more than %s links.") % MAX_LINKS)
        position = len(self._positions) + len(self.own) + 1
        self.own[position] = address
        return position


PIXEL = '<img src="{{ pixel_url }}" width="1" height="1" alt="" style="display:block;border:0">'
TRAP = '<a href="{{ trap_url }}" style="display:none" aria-hidden="true" tabindex="-1"></a>'
"""A link that no person sees: a scanner follows it."""


def with_traces(html: str) -> str:
    """Return the HTML with what reports opens and scanners, for `pixel_url` and `trap_url` of each person."""
    return build.before_body_end(html, TRAP + PIXEL)
