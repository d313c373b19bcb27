"""Define the interface of providers: a Provider opens connections, a connection sends messages.

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
from customers import clean
from customers.models.consent import Channel
from marketing.channels.receipts import BadSignature, ReceiptEvent, ReceiptKind


@dataclass(frozen=True, slots=True)
class Message:
    """One rendered message, ready to send. `key` names it to the provider, the same on every attempt."""

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
    """The provider accepted the message; `provider_id` is its id there, `url` its public address, if any."""

    provider_id: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of an account. A secret is sealed, or named in the environment, and never shown again.

    `is_target` marks the server that gets the secrets: they are entered again where it changes.
    """

    name: str
    label: str | Promise
    secret: bool = False
    required: bool = True
    help: str | Promise = ""
    is_target: bool = False


class Account(Protocol):
    """The part of a sender that a provider reads."""

    channel: str
    provider: str
    from_name: str
    from_address: str
    reply_to: str

    @property
    def public_id(self) -> str: ...

    @property
    def receipts_url(self) -> str:
        """Return the address to which the provider posts receipts."""

    def setting(self, name: str) -> str:
        """Return the value of a setting, "" where there is none. Raises crm.credentials.Unreadable for a secret that is gone."""


class SendError(Exception):
    """A message was not sent. Always one of the four below."""


class TransientError(SendError):
    """The message may succeed later (4xx SMTP, timeout before DATA, 429, 5xx HTTP).

    `retry_after` is how many seconds the provider asks to be left alone, None where it does not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AccountError(TransientError):
    """The provider refuses the sender: its account, address or quota. A user has to correct it, and no recipient is to blame."""


class PermanentError(SendError):
    """Another attempt would fail, too. `kind` names the cause; BOUNCED_HARD, or `address_is_bad`, is the address."""

    def __init__(
        self, message: str, *, address_is_bad: bool = False, kind: ReceiptKind = ReceiptKind.FAILED
    ) -> None:
        super().__init__(message)
        self.kind = ReceiptKind.BOUNCED_HARD if address_is_bad else kind

    @property
    def address_is_bad(self) -> bool:
        return self.kind == ReceiptKind.BOUNCED_HARD


class UncertainError(SendError):
    """The provider may or may not have accepted the message; only a receipt or a user can resolve it."""


class Connection(ABC):
    """An open connection to the provider, for a batch of messages."""

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
        """Send one message. Raises TransientError, PermanentError or UncertainError."""

    def close(self) -> None:  # noqa: B027
        """Close the connection; most providers have nothing to close."""


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
        """Open a connection to the provider. Raises TransientError when it cannot be reached."""

    def validate(self, sender: Account) -> dict[str, str]:
        """Return the faults of the account by field; none when messages can be sent."""
        problems = _address_faults(sender) if sender.channel == Channel.EMAIL else {}
        if sender.channel not in self.serves:
            problems["provider"] = _("%(provider)s does not carry this channel.") % {
                "provider": self.label
            }
        for each in self.settings:
            try:
                if not sender.setting(each.name) and each.required:
                    problems[each.name] = _("%(provider)s needs this.") % {"provider": self.label}
            except Unreadable as error:
                problems[each.name] = str(error)
        return problems

    def remarks(self, message: Message) -> list[str]:
        """Return remarks on a message before it is sent: too long, several segments."""
        return []

    def made_by_itself(self) -> dict[str, str]:
        """Return generated settings of a new account, such as a key pair."""
        return {}

    def receipts(self, sender: Account, request: HttpRequest) -> list[ReceiptEvent]:
        """Return the reports in this request. Raises BadSignature, and ValueError for what is not in its format."""
        raise BadSignature


def _address_faults(sender: Account) -> dict[str, str]:
    """Return the faults of the sender's addresses by field: each is an address alone, without a name."""
    faults = {}
    for name in ("from_address", "reply_to"):
        try:
            if address := getattr(sender, name):
                clean.email(address)
        except ValueError:
            faults[name] = _(
                "This is not an e-mail address: write it alone, as hello@example.com, and the name in the field for it."
            )
    return faults
