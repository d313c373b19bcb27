"""Refresh segments incrementally: after events, and as time passes, for the customers whose membership may have changed.

Events come from the outbox (customers, orders, other segments) and from the timeline (customers.subscribers). Each change ends in
refresh_for(), which compares with the present members: the same event twice, or too many customers, do no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from crm.nudge import nudge
from customers.models import Customer, Segment
from customers.segments.language.rules import Group, RuleError, parse
from customers.segments.membership import dependencies
from customers.segments.membership.dependencies import LONGEST_GAP
from customers.segments.membership.refresh import refresh, refresh_for

logger = logging.getLogger(__name__)

MANY = 20_000
"""With more customers than this it is quicker to refresh the whole segment."""

Changes = Mapping[str, set[int]]
"""Topic (customers.segments.membership.dependencies) → keys of customers."""


def changed(changes: Changes) -> None:
    """Refresh these customers in the segments whose rules read a topic that changed for them."""
    topics = {topic for topic, people in changes.items() if people}
    if not topics:
        return
    for segment, rules in _dynamic():
        read = dependencies.topics(rules)
        touched = read & topics
        if f"{dependencies.SEGMENT}" in read:
            touched |= {topic for topic in topics if topic.startswith(dependencies.SEGMENT)}
        people = set().union(*(changes[topic] for topic in touched))
        if len(people) > MANY:
            # in a transaction of its own: this one keeps rows of every feed from becoming final
            nudge("customers.tasks.refresh_segment", segment.pk)
        elif people:
            _refresh_customers(segment, sorted(people))


def time_passed(now: datetime | None = None) -> None:
    """Refresh the segments that depend on time, from their last refresh to now."""
    now = now or timezone.now()
    for segment, rules in _dynamic():
        if not dependencies.depends_on_time(rules):
            continue
        since = segment.refreshed_at
        if since is None or now - since > LONGEST_GAP:
            refresh(segment, now=now)
        elif since < now:
            moved = dependencies.crossed_windows(rules, since, now)
            people = Customer.objects.filter(moved).order_by().values_list("pk", flat=True)
            _refresh_customers(segment, sorted(people[: MANY + 1]), now)
            Segment.objects.filter(pk=segment.pk, refreshed_at__lt=now).update(refreshed_at=now)


def _dynamic() -> Iterable[tuple[Segment, Group]]:
    """Yield every dynamic segment with its rules, except segments with invalid rules."""
    for segment in Segment.objects.filter(kind=Segment.Kind.DYNAMIC).order_by("pk"):
        try:
            yield segment, parse(segment.rules)
        except RuleError:
            logger.warning("The rules of segment %s are invalid.", segment.slug)


def _refresh_customers(
    segment: Segment, people: Sequence[int], now: datetime | None = None
) -> None:
    try:
        if len(people) > MANY:
            refresh(segment, now=now)
        elif people:
            refresh_for(segment, people, now=now)
    except Segment.DoesNotExist:
        logger.info("Segment %s is gone.", segment.slug)
