"""The seam between sending and a provider: a Provider opens connections, a connection sends messages.

A new provider is one module in this folder with one subclass of Provider; nothing else lists it. What a provider tells afterwards is in
receipts.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar, Protocol, Self

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm.credentials import Unreadable
from marketing.channels.receipts import BadSignature, ReceiptEvent, ReceiptKind


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
    """The provider took the message; `provider_id` is its name for it, `url` where everybody can see it, if so."""

    provider_id: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that a provider needs to know of an account. A secret is sealed, or named in the environment, and never shown again."""

    name: str
    label: str | Promise
    secret: bool = False
    required: bool = True
    help: str | Promise = ""


class Account(Protocol):
    """What a provider sees of a sender."""

    channel: str
    provider: str
    from_name: str
    from_address: str
    reply_to: str

    @property
    def public_id(self) -> str: ...

    @property
    def receipts_url(self) -> str:
        """Where the provider is to tell what became of messages."""

    def setting(self, name: str) -> str:
        """The value of a setting, "" where there is none. Raises crm.credentials.Unreadable for a secret that is gone."""


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
    """Never: trying again is no use. `kind` says whose fault it is, as of a bounce; BOUNCED_HARD, or `address_is_bad`, is the address's."""

    def __init__(
        self, message: str, *, address_is_bad: bool = False, kind: ReceiptKind = ReceiptKind.FAILED
    ) -> None:
        super().__init__(message)
        self.kind = ReceiptKind.BOUNCED_HARD if address_is_bad else kind

    @property
    def address_is_bad(self) -> bool:
        return self.kind == ReceiptKind.BOUNCED_HARD


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


class Provider(ABC):
    """A provider of one or more channels, and what it can do.

    `serves` names the channels, `settings` what an account of it needs. `idempotent` providers take the message's key and do a thing
    once however often they are asked, so an uncertain message may be sent again. `reports_delivery` providers tell what became of a
    message by receipts.
    """

    name: ClassVar[str]
    label: ClassVar[str | Promise]
    serves: ClassVar[frozenset[str]]
    settings: ClassVar[tuple[Setting, ...]] = ()
    simulated: ClassVar[bool] = False
    idempotent: ClassVar[bool] = False
    reports_delivery: ClassVar[bool] = False

    @abstractmethod
    def connect(self, sender: Account) -> Connection:
        """Open a way to the provider. Raises TransientError when it cannot be reached."""

    def validate(self, sender: Account) -> dict[str, str]:
        """What is wrong with how the account is set up, by field; nothing when messages can be sent."""
        problems = {}
        if sender.channel not in self.serves:
            problems["provider"] = _("%(provider)s does not carry this channel.") % {
                "provider": self.label
            }
        for each in self.settings:
            try:
                if each.required and not sender.setting(each.name):
                    problems[each.name] = _("%(provider)s needs this.") % {"provider": self.label}
            except Unreadable as error:
                problems[each.name] = str(error)
        return problems

    def remarks(self, message: Message) -> list[str]:
        """What a person should know of a message on this channel before it leaves: too long, in several parts."""
        return []

    def made_by_itself(self) -> dict[str, str]:
        """Settings of a new account that nobody has to type, such as a key pair."""
        return {}

    def receipts(self, sender: Account, request: HttpRequest) -> list[ReceiptEvent]:
        """What the provider tells by this request. Raises BadSignature, and ValueError for what is not in its format."""
        raise BadSignature
