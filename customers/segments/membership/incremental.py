"""Segments keep up: when something happens to people, the segments whose rules read it look at those people again.

What happened is known from the outbox (customers, orders, other segments) and from the timeline, read by a cursor of its own;
rules that speak of time are looked at as it passes, for the people whose answer it can change. Everything ends in
refresh_for(), which compares with the members that there are: to be told twice, or too much, does no harm.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from crm.events import cursors
from crm.events.models import ConsumerCursor
from crm.events.transactions import HORIZON
from customers import reactions
from customers.models import Customer, Segment
from customers.segments.language.rules import Group, RuleError, parse
from customers.segments.membership import dependencies, window_crossings
from customers.segments.membership.refresh import refresh, refresh_for
from customers.segments.membership.window_crossings import LONGEST_GAP

logger = logging.getLogger(__name__)

MANY = 20_000
"""With more people than this it is quicker to look at everyone again."""
ROWS = 5_000
CURSOR = "customers.segments.membership.incremental.timeline"

Changes = Mapping[str, set[int]]
"""Topic (customers.segments.membership.dependencies) → the keys of those to whom something of it happened."""


def changed(changes: Changes) -> None:
    """Look again at these people, in the segments whose rules read what happened to them."""
    topics = {topic for topic, people in changes.items() if people}
    if not topics:
        return
    for segment, rules in _dynamic():
        read = dependencies.topics(rules)
        touched = read & topics
        if f"{dependencies.SEGMENT}" in read:
            touched |= {topic for topic in topics if topic.startswith(dependencies.SEGMENT)}
        if people := set().union(*(changes[topic] for topic in touched)):
            _look_again(segment, sorted(people))


def timeline() -> int:
    """Take in what was added to the timeline since the last time; returns how many rows. Another process's turn is respected."""
    taken = 0
    while count := _next_of_the_timeline():
        taken += count
    return taken


def time_passed(now: datetime | None = None) -> None:
    """Bring the segments that speak of time from when they were last right to now."""
    now = now or timezone.now()
    for segment, rules in _dynamic():
        if not window_crossings.is_touched_by_time(rules):
            continue
        since = segment.refreshed_at
        if since is None or now - since > LONGEST_GAP:
            refresh(segment, now=now)
        elif since < now:
            moved = window_crossings.may_have_changed(rules, since, now)
            people = Customer.objects.filter(moved).order_by().values_list("pk", flat=True)
            _look_again(segment, sorted(people[: MANY + 1]), now)
            Segment.objects.filter(pk=segment.pk, refreshed_at__lt=now).update(refreshed_at=now)


def _dynamic() -> Iterable[tuple[Segment, Group]]:
    """Every dynamic segment with its rules, but those whose rules no longer fit."""
    for segment in Segment.objects.filter(kind=Segment.Kind.DYNAMIC).order_by("pk"):
        try:
            yield segment, parse(segment.rules)
        except RuleError:
            logger.warning("The rules of segment %s do not fit any more.", segment.slug)


def _look_again(segment: Segment, people: Sequence[int], now: datetime | None = None) -> None:
    try:
        if len(people) > MANY:
            refresh(segment, now=now)
        elif people:
            refresh_for(segment, people, now=now)
    except Segment.DoesNotExist:
        logger.info("Segment %s is gone.", segment.slug)


def _next_of_the_timeline() -> int:
    with transaction.atomic():
        cursor = cursors.take(CURSOR)
        if cursor is None:
            return 0
        rows = _unread(cursor)
        if not rows:
            return 0
        by_type: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for _transaction, pk, event, customer in rows:
            by_type[event].append((pk, customer))
        changes = {
            dependencies.event_topic(event): {customer for _pk, customer in happened}
            for event, happened in by_type.items()
        }
        changed({**changes, dependencies.TIMELINE: set().union(*changes.values())})
        for event, happened in by_type.items():
            reactions.tell(event, [pk for pk, _customer in happened])
        cursor.transaction, cursor.position = rows[-1][:2]
        cursor.save()
        return len(rows)


def _unread(cursor: ConsumerCursor) -> list[tuple[int, int, str, int]]:
    with connection.cursor() as database:
        database.execute(
            f"""
            SELECT transaction::text::bigint, id, type, customer_id FROM customers_interaction
            WHERE (transaction, id) > (%s::text::xid8, %s) AND transaction < {HORIZON}
            ORDER BY transaction, id LIMIT %s
            """,
            [str(cursor.transaction), cursor.position, ROWS],
        )
        return database.fetchall()
