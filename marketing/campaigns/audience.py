"""Who a campaign is for, and whom of them it cannot reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from customers.models import Customer, Segment, SegmentMembership, Suppression
from customers.querysets import CustomerQuerySet
from customers.segments.compile import compile_rules
from customers.segments.refresh import refresh
from marketing.models import Campaign
from marketing.models.execution import CampaignExecution

SkipReason = CampaignExecution.SkipReason

ADDRESS_FIELDS = {"email": "email", "sms": "phone", "whatsapp": "phone"}


class NoAudience(ValueError):
    """The campaign names neither segments nor rules: nobody was chosen, and nobody does not mean everybody."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How many people a campaign is for, how many it can write to, and why not the others."""

    audience: int
    reachable: int
    skipped: dict[str, int] = field(default_factory=dict)


def customers_of(campaign: Campaign) -> CustomerQuerySet:
    """The people of the campaign as of the last refresh of its segments: in any of its segments and within its own rules, but in
    no excluded segment.

    Raises NoAudience, and customers.segments.rules.RuleError for own rules that do not fit.
    """
    included = list(campaign.segments.all())
    if not included and campaign.rules is None:
        raise NoAudience
    people = Customer.objects.all()
    if included:
        people = people.filter(_in_any(included))
    if campaign.rules is not None:
        people = people.filter(compile_rules(campaign.rules))
    if excluded := list(campaign.exclude_segments.all()):
        people = people.filter(~_in_any(excluded))
    return people


def with_skip_reason(people: CustomerQuerySet, channel: str) -> QuerySet[Any]:
    """The people with `address` for the channel, and `skip_reason` why they cannot be written to ("" when they can).

    Raises KeyError for a channel that has no address on the customer.
    """
    address = ADDRESS_FIELDS[channel]
    suppressed = (
        Suppression.objects.filter(channel=channel)
        .annotate(folded=Lower("address"))
        .filter(folded=Lower(OuterRef(address)))
    )
    return people.annotate(
        skip_reason=Case(
            When(Q(**{address: ""}) | Q(**{f"{address}__isnull": True}), then=Value("no_address")),
            When(opted_out_channels__contains=[channel], then=Value("not_subscribed")),
            When(Exists(suppressed), then=Value("suppressed")),
            default=Value(""),
        )
    )


def reach(campaign: Campaign) -> Reach:
    """Count who would get the campaign now and who would not, by reason. Raises as customers_of()."""
    refresh_segments_of(campaign)
    people = with_skip_reason(customers_of(campaign), campaign.channel)
    rows = people.order_by().values("skip_reason").annotate(people=Count("pk"))
    counts = {row["skip_reason"]: row["people"] for row in rows}
    reachable = counts.pop("", 0)
    return Reach(audience=reachable + sum(counts.values()), reachable=reachable, skipped=counts)


def refresh_segments_of(campaign: Campaign) -> None:
    """Bring the segments of the campaign up to date, so that its audience is today's."""
    for segment in {*campaign.segments.all(), *campaign.exclude_segments.all()}:
        if segment.kind == Segment.Kind.DYNAMIC:
            refresh(segment)


def _in_any(segments: Iterable[Segment]) -> Exists:
    return Exists(
        SegmentMembership.objects.filter(customer=OuterRef("pk"), segment__in=list(segments))
    )
