"""The content, sender and limits of a batch: everything that sending knows of a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

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
