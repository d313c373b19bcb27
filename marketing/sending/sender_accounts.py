"""Accounts at providers: set up, tried out, and how they stand."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

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
    """The provider could not send with this; `faults` says what is wrong, by field."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.faults = dict(faults)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong with the account lately."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an account may be used now, how much of its day is used, and what went wrong lately, newest first."""

    breaker: SenderBreaker | None
    pace: SenderPace | None
    troubles: list[Trouble]
    faults: dict[str, str]


def set_up(sender: Sender, given: Mapping[str, str]) -> None:
    """Give the account the provider's settings, those that are not named stay; what nobody need type is made. Saves nothing.

    Raises NotSetUp for settings that the provider does not have, and when it could not send with what there is.
    """
    channel = get_provider(sender.provider)
    known = [each.name for each in channel.settings]
    if unknown := sorted(set(given) - set(known)):
        said = _("There is no such setting. Known: %s.") % (", ".join(known) or _("none"))
        raise NotSetUp(dict.fromkeys(unknown, said))
    sender.settings = {name: each for name, each in sender.settings.items() if name in known}
    sender.credentials = {name: each for name, each in sender.credentials.items() if name in known}
    for name, value in given.items():
        sender.set_setting(name, str(value))
    for name, value in channel.made_by_itself().items():
        if name not in sender.credentials and name not in sender.settings:
            sender.set_setting(name, value)
    if faults := channel.validate(sender):
        raise NotSetUp(faults)


def send_test(sender: Sender, to_address: str = "", *, text: str = "") -> tuple[Receipt, list[str]]:
    """Send a word from the account to one address (none for a post); it counts nowhere. Returns what there is to know of it, too.

    Raises SendError when it did not leave: a suppressed address gets no tests either.
    """
    if sender.channel != Channel.SOCIAL and not to_address:
        raise PermanentError(_("A test needs an address to go to."))
    if to_address and consent.blocks(sender.channel, to_address):
        raise PermanentError(_("This address is suppressed: nothing is sent to it."))
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
        return connection.send(message), get_provider(sender.provider).remarks(message)


def reseal() -> tuple[int, list[str]]:
    """Seal the secrets of all senders anew; returns of how many, and the names of those whose secrets cannot be read any more."""
    unreadable = []
    done = 0
    for sender in Sender.objects.exclude(credentials={}):
        try:
            kept = {name: credentials.reseal(each) for name, each in sender.credentials.items()}
        except credentials.Unreadable:
            unreadable.append(sender.name)
            continue
        Sender.objects.filter(pk=sender.pk).update(credentials=kept)
        done += 1
    return done, unreadable


def standing(sender: Sender) -> Standing:
    """How the account stands now."""
    breaker = SenderBreaker.objects.filter(sender=sender).first()
    return Standing(
        breaker=breaker,
        pace=SenderPace.objects.filter(sender=sender).first(),
        troubles=_troubles(sender, breaker),
        faults=get_provider(sender.provider).validate(sender),
    )


def _troubles(sender: Sender, breaker: SenderBreaker | None) -> list[Trouble]:
    """What messages say, what calls to the provider say, and what its breaker heard: where nobody answers, no message has an error."""
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
    heard = [(breaker.last_error_at, breaker.last_error)] if breaker and breaker.last_error else []
    troubles = {Trouble(at, what) for at, what in (*messages, *calls, *heard) if at}
    return sorted(troubles, key=lambda trouble: trouble.at, reverse=True)[:MOST_ERRORS]
