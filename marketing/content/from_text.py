"""A template made of nothing but a message."""

from __future__ import annotations

import re

from marketing.content import liquid
from marketing.models import CampaignTemplate

LOOKS_LIKE_HTML = re.compile(r"<[a-z!/]", re.IGNORECASE)
PARAGRAPH_BREAK = re.compile(r"\n\s*\n")
NAME_LENGTH = 190


def make_template(message: str, *, subject: str) -> CampaignTemplate:
    """Save a template that says the message, named after its subject; plain text becomes paragraphs.

    Raises ContentError when the message is not Liquid.
    """
    liquid.compile_template(message, html=True)
    is_html = LOOKS_LIKE_HTML.search(message)
    return CampaignTemplate.objects.create(
        name=_free_name(subject[:NAME_LENGTH]),
        subject=subject,
        body=message if is_html else _paragraphs(message),
        plain_text="" if is_html else message,
    )


def _paragraphs(text: str) -> str:
    parts = PARAGRAPH_BREAK.split(text.strip())
    return "\n".join(f"<p>{part.strip().replace(chr(10), '<br>')}</p>" for part in parts)


def _free_name(name: str) -> str:
    taken = set(
        CampaignTemplate.objects.filter(name__startswith=name).values_list("name", flat=True)
    )
    if name not in taken:
        return name
    return next(
        free for number in range(2, len(taken) + 3) if (free := f"{name} ({number})") not in taken
    )
