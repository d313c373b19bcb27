"""The plan of a batch, which is everything that sending knows of a campaign, and the messages that a worker has claimed of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from marketing.content import UtmTags
from marketing.messages.eligibility import Policy
from marketing.models import Sender, TemplateVersion


@dataclass(frozen=True, slots=True)
class Limits:
    """How many messages all batches of an owner may send: `per_hour` in any hour, and as many as `budget` pays at `cost` each."""

    per_hour: int | None = None
    budget: Decimal | None = None
    cost: Decimal = Decimal(0)

    @property
    def affordable(self) -> int | None:
        """Return how many messages the budget pays for; None where it bounds nothing."""
        return int(self.budget / self.cost) if self.budget is not None and self.cost > 0 else None


@dataclass(frozen=True, slots=True)
class SendPlan:
    """Content, sender and bounds of one batch, frozen for a worker's turn; its owner builds it.

    `name` is what messages call the campaign. `variants` maps a variant's name to its content, `version` is the content of all other
    messages. `local_due` maps each time zone to the time at which the batch is due there, where it follows the customers' clocks;
    "" is the zone that stands in for an unknown one.
    """

    name: str
    sender: Sender
    reply_to: str
    version: TemplateVersion
    policy: Policy
    limits: Limits
    utm: UtmTags
    variants: Mapping[str, TemplateVersion] = field(default_factory=dict)
    local_due: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def channel(self) -> str:
        return self.policy.channel


@dataclass(slots=True)
class ClaimedMessage:
    """The columns that sending reads of a message and its customer, five times faster than model instances.

    `customer` has the columns that marketing.content.context reads, and the time zone.
    """

    pk: int
    customer_id: int
    address: str
    variant: str
    attempts: int
    context: Mapping[str, Any]
    customer: Mapping[str, Any]
    links: Mapping[int, str] = field(default_factory=dict)
    """The addresses that the composed message alone has, by the position of their link."""


def lease_time() -> timedelta:
    """Return how long a claim lasts without a word of its worker."""
    return timedelta(seconds=settings.SENDING_LEASE_SECONDS)
