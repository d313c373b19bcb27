"""Name the parts that a message of each channel has."""

from __future__ import annotations

from customers.models.consent import Channel

EMAIL = ("subject", "preheader", "body_format", "body", "plain_text")
TEXT = ("body",)
TITLED = ("subject", "body", "link")

PARTS: dict[str, tuple[str, ...]] = {
    Channel.EMAIL: EMAIL,
    Channel.SMS: TEXT,
    Channel.WHATSAPP: TEXT,
    Channel.PUSH: TITLED,
    Channel.SOCIAL: TEXT,
    Channel.WEBHOOK: TEXT,
}
"""The subject of a push message is its title; the body of a webhook is JSON."""

ALL_PARTS = ("subject", "preheader", "body_format", "body", "plain_text", "link")
"""All parts of any channel: what is copied from a template into a version and back."""
