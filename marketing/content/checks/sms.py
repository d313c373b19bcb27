"""What there is to say about a text as SMS."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from marketing.channels.sms import BASIC, EXTENDED, measure
from marketing.content.checks.finding import Finding, warning

MANY = 3


def outside_gsm7(text: str) -> list[str]:
    """The characters that make all of the text UCS-2, each once."""
    return list(dict.fromkeys(each for each in text if each not in BASIC | EXTENDED))


def findings(text: str) -> Iterator[Finding]:
    measured = measure(text)
    if others := outside_gsm7(text):
        yield warning(
            "ucs2",
            _("%s leaves 70 characters a message instead of 160.") % " ".join(others[:10]),
        )
    if measured.segments > MANY:
        yield warning("many_segments", _("It takes %s text messages.") % measured.segments)
