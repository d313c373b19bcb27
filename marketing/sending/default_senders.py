"""Senders that stand in where a campaign or a message names none."""

from __future__ import annotations

from email.utils import parseaddr

from django.conf import settings
from django.utils.translation import gettext as _

from customers.models.consent import Channel
from marketing.models import Sender


class NoSender(LookupError):
    """No sender of the channel exists, or several do and none is the default."""


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
