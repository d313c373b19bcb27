"""Measure a text as SMS: its alphabet, and its segments, which are what costs.

Source: 3GPP TS 23.038 (GSM 7-bit default alphabet and its extension table), 3GPP TS 23.040 (user data header of 6 octets in a part of
several).
"""

from __future__ import annotations

from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
"""Two places each, an escape and the character, which are never in two parts."""

GSM_ALONE, GSM_PART = 160, 153
UCS_ALONE, UCS_PART = 70, 67


@dataclass(frozen=True, slots=True)
class SmsLength:
    """The length of a text: `characters` as a reader counts them, `units` of 7 bits in GSM-7 and of 16 in UCS-2."""

    encoding: str
    characters: int
    units: int
    segments: int


def measure_sms(text: str) -> SmsLength:
    """Return the length of a text as SMS; an empty one has no segments."""
    if set(text) <= BASIC | EXTENDED:
        widths = [2 if each in EXTENDED else 1 for each in text]
        return _length("GSM-7", text, widths, GSM_ALONE, GSM_PART)
    widths = [2 if ord(each) > 0xFFFF else 1 for each in text]
    return _length("UCS-2", text, widths, UCS_ALONE, UCS_PART)


def outside_gsm7(text: str) -> list[str]:
    """Return the characters that make all of the text UCS-2, each once."""
    return list(dict.fromkeys(each for each in text if each not in BASIC | EXTENDED))


def _length(encoding: str, text: str, widths: list[int], alone: int, part: int) -> SmsLength:
    units = sum(widths)
    if units <= alone:
        return SmsLength(encoding, len(text), units, 1 if text else 0)
    segments, room = 1, part
    for width in widths:
        if width > room:
            segments, room = segments + 1, part
        room -= width
    return SmsLength(encoding, len(text), units, segments)
