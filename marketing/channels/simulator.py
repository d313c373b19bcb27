"""Simulate a provider and what recipients do, for demos, training and load tests.

Everything it brings about is marked as simulated. What a recipient does follows from the message's key alone, so the same run gives
the same figures each time.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from customers.models import consent
from marketing.channels.base import Account, Connection, Message, Provider, Receipt

SEED = "kindling"
DELIVERED = 0.90
OPENED_OF_DELIVERED = 0.42
CLICKED_OF_OPENED = 0.30
CONVERTED_OF_CLICKED = 0.25
UNSUBSCRIBED_OF_OPENED = 0.01

REACTION_TIME = timedelta(minutes=2)
"""Within this time of its sending a message has had all the reactions that it will have."""


class Act(StrEnum):
    DELIVER = "deliver"
    BOUNCE = "bounce"
    OPEN = "open"
    CLICK = "click"
    CONVERT = "convert"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Reaction:
    act: Act
    after: timedelta
    revenue: Decimal = Decimal(0)


class Simulator(Provider):
    name = "simulator"
    label = _("Simulator (delivers nothing)")
    serves = frozenset(consent.Channel)
    simulated = True

    def connect(self, sender: Account) -> SimulatorConnection:
        return SimulatorConnection()


class SimulatorConnection(Connection):
    def send(self, message: Message) -> Receipt:
        return Receipt(provider_id=f"simulated-{message.key}")


def reactions(key: str) -> list[Reaction]:
    """Return what the recipient of the message does, and how long after it was sent, in order of time."""
    chance = random.Random(f"{SEED}:{key}")  # noqa: S311
    delivered_after = timedelta(seconds=chance.uniform(0.5, 4))
    if chance.random() >= DELIVERED:
        return [Reaction(Act.BOUNCE, delivered_after)]
    happened = [Reaction(Act.DELIVER, delivered_after)]
    if chance.random() >= OPENED_OF_DELIVERED:
        return happened
    opened_after = delivered_after + timedelta(seconds=chance.uniform(1, 50))
    happened.append(Reaction(Act.OPEN, opened_after))
    if chance.random() < UNSUBSCRIBED_OF_OPENED:
        return [*happened, Reaction(Act.UNSUBSCRIBE, opened_after + timedelta(seconds=5))]
    if chance.random() >= CLICKED_OF_OPENED:
        return happened
    clicked_after = opened_after + timedelta(seconds=chance.uniform(2, 20))
    happened.append(Reaction(Act.CLICK, clicked_after))
    if chance.random() < CONVERTED_OF_CLICKED:
        revenue = Decimal(chance.randint(1500, 18000)) / 100
        happened.append(
            Reaction(Act.CONVERT, clicked_after + timedelta(seconds=chance.uniform(5, 40)), revenue)
        )
    return happened
