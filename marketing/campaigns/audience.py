"""Who a campaign is for, and whom of them it cannot reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, CharField, Count, Exists, OuterRef, QuerySet, Value, When

from customers.consent.reach import has_no_address, is_suppressed, is_unwanted
from customers.models import Customer, Segment, SegmentMembership
from customers.models.consent import ADDRESS_FIELDS as COLUMNS
from customers.models.consent import Channel
from customers.querysets import CustomerQuerySet
from customers.segments import references
from customers.segments.compile import compile_rules
from customers.segments.refresh import refresh
from marketing.models import Campaign
from marketing.models.execution import CampaignExecution

SkipReason = CampaignExecution.SkipReason

ADDRESS_FIELDS: dict[str, str] = {
    **{channel.value: column for channel, column in COLUMNS.items()},
    Channel.WEBHOOK.value: "external_id",
}
"""Where the address is to which a message of each channel goes; a program knows people by its own id for them."""


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


def with_skip_reason(people: CustomerQuerySet, channel: str, topic: str = "") -> QuerySet[Any]:
    """The people with `address` for the channel, and `skip_reason` why they cannot be written to ("" when they can).

    Raises KeyError for a channel that has no address on the customer.
    """
    return people.annotate(skip_reason=skip_reason(channel, topic, address=ADDRESS_FIELDS[channel]))


def skip_reason(channel: str, topic: str, *, address: str, customer: str = "") -> Case:
    """Why a row cannot be written to, "" when it can. `address` and `customer` say where its address and its person stand."""
    return Case(
        When(has_no_address(address), then=Value(SkipReason.NO_ADDRESS)),
        When(is_unwanted(channel, topic, customer=customer), then=Value(SkipReason.NOT_SUBSCRIBED)),
        When(is_suppressed(channel, address), then=Value(SkipReason.SUPPRESSED)),
        default=Value(""),
        output_field=CharField(),
    )


def reach(campaign: Campaign) -> Reach:
    """Count who would get the campaign now and who would not, by reason. Raises as customers_of()."""
    refresh_segments_of(campaign)
    people = with_skip_reason(customers_of(campaign), campaign.channel, campaign.topic_slug)
    rows = people.order_by().values("skip_reason").annotate(people=Count("pk"))
    counts = {row["skip_reason"]: row["people"] for row in rows}
    reachable = counts.pop("", 0)
    return Reach(audience=reachable + sum(counts.values()), reachable=reachable, skipped=counts)


def refresh_segments_of(campaign: Campaign) -> None:
    """Bring the segments of the campaign up to date, so that its audience is today's."""
    for segment in {*campaign.segments.all(), *campaign.exclude_segments.all()}:
        if segment.kind == Segment.Kind.DYNAMIC:
            refresh(segment)


def campaigns_speaking_of(slug: str) -> list[Campaign]:
    """The campaigns still to be sent whose own rules speak of the segment."""
    over = (Campaign.State.COMPLETED, Campaign.State.CANCELLED)
    with_rules = Campaign.objects.exclude(rules=None).exclude(state__in=over)
    return [each for each in with_rules if slug in references.slugs_in(each.rules)]


references.register(campaigns_speaking_of)


def _in_any(segments: Iterable[Segment]) -> Exists:
    return Exists(
        SegmentMembership.objects.filter(customer=OuterRef("pk"), segment__in=list(segments))
    )
