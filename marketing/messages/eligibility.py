"""Why somebody cannot be written to: the closed list of reasons, as one condition for audiences and for the last look alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When
from django.db.models.functions import Now

from customers.consent.reach import has_no_address, is_suppressed, is_unwanted
from marketing.models import Campaign, CampaignExecution, FrequencyRule, SendOnce

SkipReason = CampaignExecution.SkipReason
State = CampaignExecution.State

HANDED_OVER = (
    State.SENDING,
    State.UNCONFIRMED,
    State.SENT,
    State.DELIVERED,
    State.BOUNCED,
    State.COMPLAINED,
)
"""The states of a message that left, or that may have."""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many messages within so many days, by a channel ("": by any)."""

    messages: int
    days: int
    channel: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides whether a person may get a message of a campaign now."""

    channel: str
    topic: str
    send_once_key: str
    caps: tuple[Cap, ...]
    simulated: bool

    @property
    def depends_on_other_messages(self) -> bool:
        """Whether two messages to one person must not be judged at the same moment."""
        return bool(self.caps or self.send_once_key)


def policy_of(campaign: Campaign, *, simulated: bool) -> Policy:
    """The policy of the campaign as its rules are now."""
    return Policy(
        channel=campaign.channel,
        topic=campaign.topic_slug,
        send_once_key=campaign.send_once_key,
        caps=() if campaign.exempt_from_caps else _caps(campaign.channel),
        simulated=simulated,
    )


def skip_reason(policy: Policy, *, address: str, customer: str = "", message: str = "") -> Case:
    """Why a row cannot be written to, "" when it can.

    `address`, `customer` (a prefix) and `message` say where its address, its person and, where there is one, the key of the message in
    question stand: that one is no reason against itself.
    """
    whens = [
        When(has_no_address(address), then=Value(SkipReason.NO_ADDRESS)),
        When(
            is_unwanted(policy.channel, policy.topic, customer=customer),
            then=Value(SkipReason.NOT_SUBSCRIBED),
        ),
        When(is_suppressed(policy.channel, address), then=Value(SkipReason.SUPPRESSED)),
    ]
    person = f"{customer}pk"
    if policy.send_once_key:
        had_it = _has_had(policy.send_once_key, person, message)
        whens.append(When(had_it, then=Value(SkipReason.ALREADY_SENT)))
    for cap in policy.caps:
        enough = _has_had_enough(cap, person, message, simulated=policy.simulated)
        whens.append(When(enough, then=Value(SkipReason.FREQUENCY_CAP)))
    return Case(*whens, default=Value(""), output_field=CharField())


def _caps(channel: str) -> tuple[Cap, ...]:
    rules = FrequencyRule.objects.filter(Q(channel="") | Q(channel=channel), active=True)
    return tuple(
        Cap(*values) for values in rules.order_by("pk").values_list("messages", "days", "channel")
    )


def _has_had(key: str, person: str, message: str) -> Exists:
    """A message of the key left, or may have; a claim of one that failed or was skipped is free again."""
    claims = SendOnce.objects.filter(key=key, customer=OuterRef(person))
    if message:
        claims = claims.exclude(execution=OuterRef(message))
    return Exists(claims.filter(Q(execution=None) | Q(execution__state__in=HANDED_OVER)))


def _has_had_enough(cap: Cap, person: str, message: str, *, simulated: bool) -> Exists:
    """That many messages left within that time. What was only simulated counts for what is simulated itself."""
    had = CampaignExecution.objects.filter(
        customer=OuterRef(person),
        sending_at__gte=Now() - timedelta(days=cap.days),
        state__in=HANDED_OVER,
    )
    if message:
        had = had.exclude(pk=OuterRef(message))
    if cap.channel:
        had = had.filter(run__campaign__channel=cap.channel)
    if not simulated:
        had = had.filter(run__simulated=False)
    return Exists(had[cap.messages - 1 : cap.messages])
