"""Check how many text messages a text takes."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from marketing.channels import measure_sms, outside_gsm7
from marketing.content.checks.finding import Finding, warning

MANY = 3


def findings(text: str) -> Iterator[Finding]:
    measured = measure_sms(text)
    if others := outside_gsm7(text):
        yield warning(
            "ucs2",
            _("%s leaves 70 characters a message instead of 160.") % " ".join(others[:10]),
        )
    if measured.segments > MANY:
        yield warning("many_segments", _("It takes %s text messages.") % measured.segments)
