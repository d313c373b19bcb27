"""What one customer wants, as a whole: read for the preference centre, and changed there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from customers.consent.decisions import opt_in, opt_out
from customers.consent.reach import topic_key
from customers.models import Customer, Topic
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


def wishes(customer: Customer) -> list[ChannelWish]:
    """Of every channel by which the customer can be reached, what they want. This causes one SQL query."""
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
    """The channels for which we have an address."""
    return [channel for channel, column in ADDRESS_FIELDS.items() if getattr(customer, column)]


def paused_until(customer: Customer) -> datetime | None:
    """The end of the pause that they are in; None while they are in none."""
    until = customer.paused_until
    return until if until and until > timezone.now() else None


@transaction.atomic
def want(customer: Customer, wanted: Collection[str], evidence: str) -> None:
    """Of the channels and `channel:topic` pairs of wishes(), want these and no others; only what is news is noted."""
    for wish in wishes(customer):
        if wish.wanted != (wish.channel in wanted):
            decide = opt_out if wish.wanted else opt_in
            decide(customer.pk, wish.channel, evidence)
        for each in wish.topics:
            if each.wanted != (each.key in wanted):
                decide = opt_out if each.wanted else opt_in
                decide(customer.pk, wish.channel, evidence, topic=each.topic.slug)


@transaction.atomic
def want_nothing(customer: Customer, evidence: str) -> None:
    """Opt out of every channel by which we could reach them."""
    for wish in wishes(customer):
        if wish.wanted:
            opt_out(customer.pk, wish.channel, evidence)
