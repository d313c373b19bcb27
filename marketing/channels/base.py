"""The seam between sending and a provider: a Channel opens connections, a connection sends messages.

A new provider is one module in this folder with one subclass of Channel; nothing else lists it. What a provider tells afterwards is in
receipts.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar, Protocol, Self

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Message:
    """One rendered message, ready to leave. `key` is the same on every attempt: it names the message to the provider."""

    key: str
    to_address: str
    to_name: str
    from_address: str
    from_name: str
    reply_to: str
    subject: str
    html: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    link: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider took the message; `provider_id` is its name for it."""

    provider_id: str


class Account(Protocol):
    """What a provider sees of a sender."""

    channel: str
    from_name: str
    from_address: str
    reply_to: str


class SendError(Exception):
    """A message did not leave. Always one of the three below."""


class TransientError(SendError):
    """Not now: the same message may pass later (4xx SMTP, timeout before DATA, 429, 5xx HTTP).

    `retry_after` is how many seconds the provider asks to be left alone, None where it does not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(SendError):
    """Never: trying again is no use. `address_is_bad` says that the address itself was refused."""

    def __init__(self, message: str, *, address_is_bad: bool = False) -> None:
        super().__init__(message)
        self.address_is_bad = address_is_bad


class UncertainError(SendError):
    """The provider may or may not have taken the message; only a receipt or a person can tell."""


class Connection(ABC):
    """A way to the provider that is open for a batch of messages."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def send(self, message: Message) -> Receipt:
        """Hand one message over. Raises TransientError, PermanentError or UncertainError."""

    def close(self) -> None:  # noqa: B027
        """Let go of the connection; nothing to do for most providers."""


class Channel(ABC):
    """A provider of one or more channels, and what it can do.

    `serves` names the channels. `idempotent` providers take the message's key and do a thing once however often they are asked, so an
    uncertain message may be sent again. `reports_delivery` providers tell what became of a message by receipts.
    """

    name: ClassVar[str]
    label: ClassVar[str | Promise]
    serves: ClassVar[frozenset[str]]
    simulated: ClassVar[bool] = False
    idempotent: ClassVar[bool] = False
    reports_delivery: ClassVar[bool] = False

    @abstractmethod
    def connect(self, sender: Account) -> Connection:
        """Open a way to the provider. Raises TransientError when it cannot be reached."""
