"""Senders, accounts at providers: set them up, test them, report their status, and choose the default one."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.utils.translation import gettext as _

from crm import credentials
from crm.outbound.models import ExternalServiceLog
from customers import consent
from customers.models.consent import Channel
from marketing.channels import Message, PermanentError, Receipt, connect, get_provider
from marketing.models import CampaignExecution, Sender, SenderBreaker, SenderPace

MOST_ERRORS = 10


class NotSetUp(ValueError):
    """The provider cannot send with the settings; `faults` maps each field to what is wrong."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.faults = dict(faults)


class NoSender(LookupError):
    """No sender of the channel exists, or several do and none is the default."""


@dataclass(frozen=True, slots=True)
class RecentError:
    """An error of the account."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """The breaker, the rate limit, the recent errors (newest first) and the faults of the settings of an account."""

    breaker: SenderBreaker | None
    pace: SenderPace | None
    errors: list[RecentError]
    faults: dict[str, str]


def set_up(sender: Sender, given: Mapping[str, str]) -> None:
    """Set settings of the account's provider; others stay, and generated ones are made. Saves nothing.

    Raises NotSetUp for unknown settings, for secrets that a new target would get without being entered again, and when the provider
    cannot send with the account.
    """
    provider = get_provider(sender.provider)
    known = [each.name for each in provider.settings]
    if unknown := sorted(set(given) - set(known)):
        unknown_setting = _("The provider has no such setting. Known: %s.") % (
            ", ".join(known) or _("none")
        )
        raise NotSetUp(dict.fromkeys(unknown, unknown_setting))
    sender.settings = {name: each for name, each in sender.settings.items() if name in known}
    sender.credentials = {name: each for name, each in sender.credentials.items() if name in known}
    given = {
        name: str(value) for name, value in given.items() if not credentials.is_mask(str(value))
    }
    for name, value in given.items():
        sender.set_setting(name, value)
    if not_entered := _stored_secrets(sender, but=given):
        raise NotSetUp(
            dict.fromkeys(not_entered, _("Enter it again: it would go to another server."))
        )
    for name, value in provider.made_by_itself().items():
        if name not in sender.credentials and name not in sender.settings:
            sender.set_setting(name, value)
    if faults := provider.validate(sender):
        raise NotSetUp(faults)


def _stored_secrets(sender: Sender, *, but: Collection[str]) -> list[str]:
    """Return the secrets that stay, where the provider or a setting that names its server changes; none where neither does."""
    stored = Sender.objects.filter(pk=sender.pk).first()
    if stored is None:
        return []
    own = get_provider(sender.provider).settings
    targets = [each.name for each in own if each.is_target]
    moves = stored.provider != sender.provider or any(
        stored.settings.get(name) != sender.settings.get(name) for name in targets
    )
    kept = [each.name for each in own if each.secret and each.name in stored.credentials]
    return [name for name in kept if moves and name not in but]


def address_faults(sender: Sender) -> dict[str, str]:
    """Return the faults of the sender's addresses by field."""
    faults = get_provider(sender.provider).validate(sender)
    return {name: faults[name] for name in ("from_address", "reply_to") if name in faults}


def send_test(sender: Sender, to_address: str = "", *, text: str = "") -> tuple[Receipt, list[str]]:
    """Send a test message to an address (none for a post), and return the receipt with the provider's remarks.

    Raises SendError when it was not sent, as to a suppressed address.
    """
    if sender.channel != Channel.SOCIAL and not to_address:
        raise PermanentError(_("Give an address to send the test to."))
    if to_address and consent.blocks(sender.channel, to_address):
        raise PermanentError(
            _(
                "The address is suppressed: remove it from the suppression list, or test with another one."
            )
        )
    text = text or _("This is a test of “%(sender)s” from %(site)s. It works.") % {
        "sender": sender.name,
        "site": settings.SITE_NAME,
    }
    message = Message(
        key=f"test_{uuid.uuid4().hex}",
        to_address=to_address,
        to_name="",
        from_address=sender.from_address,
        from_name=sender.from_name,
        reply_to=sender.reply_to,
        subject=_("[Test] %s") % sender.name,
        html=f"<p>{text}</p>" if sender.channel == Channel.EMAIL else "",
        text=text,
        link=settings.SITE_URL if sender.channel == Channel.PUSH else "",
    )
    with connect(sender) as connection:
        receipt = connection.send(message)
    SenderBreaker.objects.get_or_create(sender=sender)  # closed: the provider answers
    return receipt, get_provider(sender.provider).remarks(message)


def sender_for(channel: str) -> Sender:
    """Return the default sender of a channel, or its only one. Raises NoSender."""
    if channel == Channel.EMAIL:
        return default_sender()
    senders = list(Sender.objects.filter(channel=channel).order_by("-is_default", "pk")[:2])
    if not senders or (len(senders) > 1 and not senders[0].is_default):
        raise NoSender(_("Name a sender: %s has no default one.") % Channel(channel).label)
    return senders[0]


def default_sender() -> Sender:
    """Return the default sender of e-mail; the first time it is made from DEFAULT_FROM_EMAIL."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    sender, _created = Sender.objects.get_or_create(
        channel=Channel.EMAIL,
        is_default=True,
        defaults={
            "name": _("Default e-mail sender"),
            "from_name": name or settings.SITE_NAME,
            "from_address": address,
        },
    )
    return sender


def status_of(sender: Sender) -> AccountStatus:
    """Return the status of an account."""
    breaker = SenderBreaker.objects.filter(sender=sender).first()
    return AccountStatus(
        breaker=breaker,
        pace=SenderPace.objects.filter(sender=sender).first(),
        errors=_recent_errors(sender, breaker),
        faults=get_provider(sender.provider).validate(sender),
    )


def _recent_errors(sender: Sender, breaker: SenderBreaker | None) -> list[RecentError]:
    """Return errors of messages, of calls to the provider, and of the breaker: an unreachable provider leaves none on messages."""
    messages = (
        CampaignExecution.objects.filter(run__sender=sender, sending_at__isnull=False, error__gt="")
        .order_by("-sending_at")
        .values_list("sending_at", "error")[:MOST_ERRORS]
    )
    calls = (
        ExternalServiceLog.objects.filter(account=sender.public_id, error__gt="")
        .order_by("-at")
        .values_list("at", "error")[:MOST_ERRORS]
    )
    breaker_errors = (
        [(breaker.last_error_at, breaker.last_error)] if breaker and breaker.last_error else []
    )
    errors = {RecentError(at, what) for at, what in (*messages, *calls, *breaker_errors) if at}
    return sorted(errors, key=lambda error: error.at, reverse=True)[:MOST_ERRORS]
