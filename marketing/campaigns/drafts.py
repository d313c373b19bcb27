"""How a campaign comes to be, and to go while nothing has been sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from crm.accounts.models import User
from crm.events.outbox import emit
from customers.models.consent import Channel
from marketing import events
from marketing.campaigns.schedule import beat_entries
from marketing.models import Campaign, Sender


class HasSent(Exception):
    """The campaign has runs: its messages are part of what happened, and stay."""


@transaction.atomic
def create(campaign: Campaign, *, by: User | None) -> Campaign:
    """Save a new campaign and tell the outbox; segments are the caller's to set afterwards."""
    campaign.created_by = by
    campaign.save()
    emit(
        events.CAMPAIGN_CREATED,
        subject=f"campaign/{campaign.pk}",
        data={"campaign": campaign.pk},
    )
    return campaign


@transaction.atomic
def set_variants(campaign: Campaign, given: Iterable[Mapping[str, Any]]) -> None:
    """Let the campaign have these variants (name, template, weight 1 if not given) in the place of those that it has.

    A variant keeps who had it by its name; a winner that is not among them any more is forgotten.
    """
    wanted = list(given)
    names = [variant["name"] for variant in wanted]
    campaign.variants.exclude(name__in=names).delete()
    for variant in wanted:
        campaign.variants.update_or_create(
            name=variant["name"],
            defaults={"template": variant["template"], "weight": variant.get("weight", 1)},
        )
    if campaign.winner and campaign.winner not in names:
        campaign.winner, campaign.winner_why, campaign.winner_at = "", "", None
        campaign.save(update_fields=["winner", "winner_why", "winner_at"])


@transaction.atomic
def discard(campaign: Campaign) -> None:
    """Delete a campaign that was never launched, and its place in the schedule. Raises HasSent."""
    if campaign.runs.exists():
        raise HasSent(_("A campaign that was launched cannot be deleted; it can be cancelled."))
    beat_entries.forget(campaign)
    campaign.delete()


class NoSender(LookupError):
    """Nothing was ever set up that could carry the channel."""


def sender_for(channel: str) -> Sender:
    """Who messages of a channel come from when nothing else is said: its default sender, or the only one. Raises NoSender."""
    if channel == Channel.EMAIL:
        return default_sender()
    senders = list(Sender.objects.filter(channel=channel).order_by("-is_default", "pk")[:2])
    if not senders or (len(senders) > 1 and not senders[0].is_default):
        label = Channel(channel).label
        raise NoSender(_("Name a sender: %s has no default one.") % label)
    return senders[0]


def default_sender() -> Sender:
    """Who e-mail comes from when nothing else is said; made from DEFAULT_FROM_EMAIL the first time."""
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
