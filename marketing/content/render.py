"""One version of a message, compiled once, rendered for each person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from marketing.content import links, liquid, plain_text
from marketing.content.context import shared_context
from marketing.models.template import Content
from marketing.tracking import tokens
from marketing.tracking.tokens import Purpose

BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Tracking:
    """The addresses that one recipient's message carries."""

    links: Mapping[int, str]
    unsubscribe: str
    pixel: str = ""


def tracking_for(execution_id: int, link_count: int) -> Tracking:
    """The signed addresses of one message with `link_count` links."""
    return Tracking(
        links={
            position: tokens.url(Purpose.CLICK, execution_id, position)
            for position in range(1, link_count + 1)
        },
        unsubscribe=tokens.url(Purpose.UNSUBSCRIBE, execution_id),
        pixel=tokens.url(Purpose.OPEN, execution_id),
    )


class Renderer:
    """Renders a content for many people.

    With `tracked` (the addresses of its links, in order) those links lead through us and a pixel is added; without, as in a preview,
    links stay what they are. A body without an unsubscribe link gets one at its end. Raises ContentError when it is not Liquid.
    """

    def __init__(
        self, content: Content, *, campaign_name: str, tracked: Sequence[str] | None = None
    ) -> None:
        body = _with_unsubscribe_link(content.body)
        if tracked is not None:
            body = _before_body_end(links.lead_through(body, list(tracked)), PIXEL)
        text = content.plain_text or plain_text.from_html(body)
        self._shared = shared_context(campaign_name)
        self._subject = liquid.compile_template(content.subject, html=False)
        self._html = liquid.compile_template(body, html=True)
        self._text = liquid.compile_template(text, html=False)

    def render(self, recipient: Mapping[str, Any], tracking: Tracking) -> Rendered:
        """The message for one person. Raises ContentError when it cannot be rendered for them."""
        context = {
            **self._shared,
            **recipient,
            "links": tracking.links,
            "unsubscribe_url": tracking.unsubscribe,
            "pixel_url": tracking.pixel,
        }
        return Rendered(
            subject=" ".join(liquid.render(self._subject, context).split()),
            html=liquid.render(self._html, context),
            text=liquid.render(self._text, context),
        )


PIXEL = '<img src="{{ pixel_url }}" width="1" height="1" alt="" style="display:block;border:0">'


def _with_unsubscribe_link(body: str) -> str:
    if links.UNSUBSCRIBE.search(body):
        return body
    footer = (
        '<p style="margin:32px 0 0;font-size:12px;color:#71717a;text-align:center">'
        '<a href="{{{{ unsubscribe_url }}}}" style="color:#71717a">{}</a></p>'
    ).format(_("Unsubscribe"))
    return _before_body_end(body, footer)


def _before_body_end(body: str, addition: str) -> str:
    ends = [match.start() for match in BODY_END.finditer(body)]
    end = ends[-1] if ends else len(body)
    return body[:end] + addition + body[end:]
