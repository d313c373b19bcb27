"""The preferences of one customer as a whole, as the preference centre shows and changes them; and pauses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from customers.consent.decisions import opt_in, opt_out_with_address
from customers.consent.reach import topic_key
from customers.models import Customer, Pause, Topic
from customers.models.consent import ADDRESS_FIELDS, Channel


@dataclass(frozen=True, slots=True)
class TopicWish:
    key: str
    """`channel:topic`"""
    topic: Topic
    wanted: bool


@dataclass(frozen=True, slots=True)
class ChannelWish:
    channel: Channel
    wanted: bool
    topics: list[TopicWish]


def preferences_of(customer: Customer) -> list[ChannelWish]:
    """Return the wishes for every channel that reaches the customer. Causes one SQL query."""
    topics = list(Topic.objects.all())
    return [
        ChannelWish(
            channel,
            channel not in customer.opted_out_channels,
            [
                TopicWish(key, topic, key not in customer.opted_out_topics)
                for topic in topics
                for key in [topic_key(channel, topic.slug)]
            ],
        )
        for channel in reachable_by(customer)
    ]


def reachable_by(customer: Customer) -> list[Channel]:
    """Return the channels for which we have an address."""
    return [channel for channel, column in ADDRESS_FIELDS.items() if getattr(customer, column)]


def paused_until(customer: Customer) -> datetime | None:
    """Return the end of the current pause, if there is one."""
    until = customer.paused_until
    return until if until and until > timezone.now() else None


@transaction.atomic
def set_preferences(customer: Customer, wanted: Collection[str], evidence: str) -> None:
    """Opt in to these channels and `channel:topic` pairs, and out of all others. Only changes are recorded.

    An opt-out holds for the address, whichever customer has it.
    """
    for wish in preferences_of(customer):
        if wish.wanted != (wish.channel in wanted):
            decide = opt_out_with_address if wish.wanted else opt_in
            decide(customer.pk, wish.channel, evidence)
        for each in wish.topics:
            if each.wanted != (each.key in wanted):
                decide = opt_out_with_address if each.wanted else opt_in
                decide(customer.pk, wish.channel, evidence, topic=each.topic.slug)


@transaction.atomic
def opt_out_of_everything(customer: Customer, evidence: str) -> None:
    """Opt out of every channel that reaches the customer."""
    for wish in preferences_of(customer):
        if wish.wanted:
            opt_out_with_address(customer.pk, wish.channel, evidence)


def pause(customer_id: int, until: datetime, evidence: str) -> None:
    """Send nothing to this customer, by any channel, before `until`."""
    _decide(customer_id, until, evidence)


def resume(customer_id: int, evidence: str) -> None:
    """End a pause before its time."""
    _decide(customer_id, None, evidence)


@transaction.atomic
def _decide(customer_id: int, until: datetime | None, evidence: str) -> None:
    Pause.objects.create(customer_id=customer_id, until=until, evidence=evidence)
    Customer.objects.filter(pk=customer_id).update(paused_until=until)
