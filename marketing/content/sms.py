"""How many text messages a text takes (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from marketing.content.checks.finding import Finding, warning

GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet: a septet each (TS 23.038, 6.2.1)."""
GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")
"""After an escape: two septets each (TS 23.038, 6.2.1.1)."""
MANY = 3


@dataclass(frozen=True, slots=True)
class Size:
    """`units` are septets in GSM-7 and 16-bit units in UCS-2; `segments` is what is paid for."""

    encoding: str
    units: int
    segments: int


def size(text: str) -> Size:
    """Measured as phones do: 160 septets or 70 units alone, 153 or 67 a part where a header joins them (TS 23.040, 9.2.3.24.1)."""
    if outside_gsm7(text):
        widths = [2 if ord(each) > 0xFFFF else 1 for each in text]
        return _packed("UCS-2", widths, alone=70, joined=67)
    widths = [2 if each in GSM7_EXTENSION else 1 for each in text]
    return _packed("GSM-7", widths, alone=160, joined=153)


def outside_gsm7(text: str) -> list[str]:
    """The characters that make all of the text UCS-2, each once."""
    return list(dict.fromkeys(each for each in text if each not in GSM7 | GSM7_EXTENSION))


def findings(text: str) -> Iterator[Finding]:
    measured = size(text)
    if others := outside_gsm7(text):
        yield warning(
            "ucs2",
            _("%s leaves 70 characters a message instead of 160.") % " ".join(others[:10]),
        )
    if measured.segments > MANY:
        yield warning("many_segments", _("It takes %s text messages.") % measured.segments)


def _packed(encoding: str, widths: list[int], *, alone: int, joined: int) -> Size:
    """A character is never split between two parts."""
    units = sum(widths)
    if units <= alone:
        return Size(encoding, units, 1)
    segments, room = 1, joined
    for width in widths:
        if width > room:
            segments, room = segments + 1, joined
        room -= width
    return Size(encoding, units, segments)
