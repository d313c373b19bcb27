"""One version of a message, compiled once, rendered for each person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketing.content import build, links, liquid, tokens
from marketing.content.context import shared_context
from marketing.content.tokens import Purpose
from marketing.models.template import Content


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    html: str
    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Tracking:
    """The addresses that one recipient's message carries."""

    links: Mapping[int, str]
    unsubscribe: str
    pixel: str = ""
    trap: str = ""


def tracking_for(execution_id: int, link_count: int) -> Tracking:
    """The signed addresses of one message with `link_count` links."""
    return Tracking(
        links={
            position: tokens.url(Purpose.CLICK, execution_id, position)
            for position in range(1, link_count + 1)
        },
        unsubscribe=tokens.url(Purpose.UNSUBSCRIBE, execution_id),
        pixel=tokens.url(Purpose.OPEN, execution_id),
        trap=tokens.url(Purpose.CLICK, execution_id),
    )


class Renderer:
    """Renders a content for many people.

    With `tracked` (the addresses of its links, in order) those links lead through us and a pixel is added; without, as in a preview,
    links stay what they are. Raises ContentError when it cannot be read.
    """

    def __init__(
        self, content: Content, *, campaign_name: str, tracked: Sequence[str] | None = None
    ) -> None:
        parts = build.of(content)
        html, text, link = parts.html, parts.text, parts.link
        if tracked is not None:
            html = with_traces(links.lead_through(html, tracked)) if html else ""
            text = links.lead_text_through(text, tracked)
            link = f"{{{{ links[{tracked.index(link) + 1}] }}}}" if link in tracked else link
        self._shared = shared_context(campaign_name)
        self._subject = liquid.compile_template(parts.subject, html=False)
        self._html = liquid.compile_template(html, html=True) if html else None
        self._text = liquid.compile_template(text, html=False)
        self._link = liquid.compile_template(link, html=False) if link else None

    def render(self, recipient: Mapping[str, Any], tracking: Tracking) -> Rendered:
        """The message for one person. Raises ContentError when it cannot be rendered for them."""
        context = {
            **self._shared,
            **recipient,
            "links": tracking.links,
            "unsubscribe_url": tracking.unsubscribe,
            "pixel_url": tracking.pixel,
            "trap_url": tracking.trap,
        }
        return Rendered(
            subject=" ".join(liquid.render(self._subject, context).split()),
            html=liquid.render(self._html, context) if self._html else "",
            text=liquid.render(self._text, context),
            link=liquid.render(self._link, context) if self._link else "",
        )


PIXEL = '<img src="{{ pixel_url }}" width="1" height="1" alt="" style="display:block;border:0">'
TRAP = '<a href="{{ trap_url }}" style="display:none" aria-hidden="true" tabindex="-1"></a>'
"""A link that no person sees: whoever follows it is a scanner."""


def with_traces(html: str) -> str:
    """The HTML with what tells of opens and of scanners, for `pixel_url` and `trap_url` of each person."""
    return build.before_body_end(html, TRAP + PIXEL)
