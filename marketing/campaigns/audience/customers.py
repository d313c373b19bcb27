"""Who a campaign is for."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef

from customers.models import Customer, Segment, SegmentMembership
from customers.models.consent import Channel
from customers.querysets import CustomerQuerySet
from customers.segments import matching, refresh
from marketing.models import Campaign


class NoAudience(ValueError):
    """The campaign names neither segments nor rules: nobody was chosen, and nobody does not mean everybody."""


def customers_of(campaign: Campaign) -> CustomerQuerySet:
    """The people of the campaign as of the last refresh of its segments: in any of its segments and within its own rules, but in
    no excluded segment; without segments and rules a triggered campaign is for everybody. A post is for nobody in particular.

    Raises NoAudience, and RuleError for own rules that do not fit.
    """
    if campaign.channel == Channel.SOCIAL:
        return Customer.objects.filter(pk__lt=0)  # none() has no SQL to build on
    included = list(campaign.segments.all())
    if not included and campaign.rules is None and not campaign.is_triggered:
        raise NoAudience
    people = Customer.objects.all() if campaign.rules is None else matching(campaign.rules)
    if included:
        people = people.filter(_in_any(included))
    if excluded := list(campaign.exclude_segments.all()):
        people = people.filter(~_in_any(excluded))
    return people


def refresh_segments_of(campaign: Campaign) -> None:
    """Bring the segments of the campaign up to date, so that its audience is today's."""
    for segment in {*campaign.segments.all(), *campaign.exclude_segments.all()}:
        if segment.kind == Segment.Kind.DYNAMIC:
            refresh(segment)


def _in_any(segments: Iterable[Segment]) -> Exists:
    return Exists(
        SegmentMembership.objects.filter(customer=OuterRef("pk"), segment__in=list(segments))
    )
