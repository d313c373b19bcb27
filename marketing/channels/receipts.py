"""Name what providers report about messages, in one vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReceiptKind(StrEnum):
    """The receipts of providers. A hard bounce is final for the address, a soft one is not; a block is about the sender's
    reputation or the content, ACCOUNT about the sender's account, its address or its quota."""

    DELIVERED = "delivered"
    BOUNCED_HARD = "bounced_hard"
    BOUNCED_SOFT = "bounced_soft"
    BLOCKED = "blocked"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    SUBSCRIBED = "subscribed"
    UNCLEAR_REPLY = "unclear_reply"
    ACCOUNT = "account"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ReceiptEvent:
    """One report of a provider about one message.

    `key` is our name for the message (Message.key) where the provider hands it back, `provider_id` is its own; with neither it is about
    an `address`, and `text` is the reply from there. `event_id` is the same each time that the provider reports the same event. `machine`
    says that no person did it.
    """

    kind: ReceiptKind
    event_id: str
    key: str = ""
    provider_id: str = ""
    address: str = ""
    at: datetime | None = None
    detail: str = ""
    link: str = ""
    text: str = ""
    machine: bool = False
    user_agent: str = ""


class BadSignature(Exception):
    """The request is not from the provider, or was altered."""
