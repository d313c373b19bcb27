"""Make a template of a message alone."""

from __future__ import annotations

import re

from customers.models.consent import Channel
from marketing.content import build, channel_parts
from marketing.models import CampaignTemplate
from marketing.models.template import Content

LOOKS_LIKE_MJML = re.compile(r"\s*<mjml\b", re.IGNORECASE)
LOOKS_LIKE_HTML = re.compile(r"<[a-z!/]", re.IGNORECASE)
NAME_LENGTH = 190

Format = Content.BodyFormat


def make_template(message: str, *, subject: str, channel: str = Channel.EMAIL) -> CampaignTemplate:
    """Save a template that says the message on the channel, named after its subject.

    Raises ContentError when the message cannot be read.
    """
    template = CampaignTemplate(
        name=_free_name(subject[:NAME_LENGTH]),
        channel=channel,
        subject=subject if "subject" in channel_parts.PARTS[channel] else "",
        body=message,
        body_format=format_of(message) if channel == Channel.EMAIL else Format.TEXT,
        is_of_message=True,
    )
    build.build(template)
    template.save()
    return template


def format_of(body: str) -> str:
    """Return the format that a body seems to be written in."""
    if LOOKS_LIKE_MJML.match(body):
        return Format.MJML
    return Format.HTML if LOOKS_LIKE_HTML.search(body) else Format.TEXT


def _free_name(name: str) -> str:
    taken = set(
        CampaignTemplate.objects.filter(name__startswith=name).values_list("name", flat=True)
    )
    if name not in taken:
        return name
    return next(
        free for number in range(2, len(taken) + 3) if (free := f"{name} ({number})") not in taken
    )
