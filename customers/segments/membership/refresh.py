"""Refresh the members of dynamic segments: by difference, in short transactions, with an event for each who enters or exits."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from crm.events import outbox, webhooks
from crm.queues import give_way
from customers.models import Customer, Segment
from customers.segments.language import validate
from customers.segments.language.rules import RuleError
from customers.segments.membership.members import record_size
from customers.segments.sql.behaviour import array_of
from customers.segments.sql.compile import compile_rules
from customers.timeline import types

logger = logging.getLogger(__name__)

CHUNK = 10_000
"""So many customers are checked in one transaction: until it ends, no reader of events gets past it."""
MOST_ANNOUNCED = 10_000
"""Of a new segment with more members than this, the first members are no events, unless a webhook or a follower wants them. Segments
whose rules use it follow with their next refresh."""

_followed: list[Callable[[], Collection[str]]] = []


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The result of a refresh: customers who entered and exited, the size, and its duration in milliseconds."""

    added: int
    removed: int
    size: int
    ms: int


def refresh(segment: Segment, *, now: datetime | None = None) -> Refreshed:
    """Recompute the members of a segment, as of `now`, and its size; a static segment is only counted.

    One query finds the customers who enter or exit. They are then checked again, CHUNK by CHUNK, each chunk in a transaction of its own,
    so that what changes meanwhile is not undone. Raises RuleError for rules that do not fit, and Segment.DoesNotExist.
    """
    now = now or timezone.now()
    started = time.perf_counter()
    stored = Segment.objects.get(pk=segment.pk)
    found = _differences(stored, now) if stored.kind == Segment.Kind.DYNAMIC else _counted(stored)
    announce = stored.refreshed_at is not None or _is_announced(stored, found.customers)
    added = removed = 0
    for start in range(0, len(found.customers), CHUNK):
        give_way()
        entered, exited = _check(
            stored, found.customers[start : start + CHUNK], now, announce=announce
        )
        added, removed = added + entered, removed + exited
    with transaction.atomic():
        locked = _lock(segment)
        locked.size += found.miscounted
        locked.refreshed_at = now
        locked.refresh_ms = round((time.perf_counter() - started) * 1000)
        locked.save(update_fields=["size", "refreshed_at", "refresh_ms"])
        record_size(locked, now)
    segment.size, segment.refreshed_at, segment.refresh_ms = (
        locked.size,
        locked.refreshed_at,
        locked.refresh_ms,
    )
    return Refreshed(added, removed, locked.size, locked.refresh_ms)


def refresh_for(
    segment: Segment, customer_ids: Sequence[int], *, now: datetime | None = None
) -> Refreshed:
    """Refresh the membership of these customers alone."""
    now = now or timezone.now()
    started = time.perf_counter()
    with transaction.atomic():
        added, removed = _check(segment, customer_ids, now)
        locked = Segment.objects.get(pk=segment.pk)
        if added or removed:
            record_size(locked, now)
    ms = round((time.perf_counter() - started) * 1000)
    return Refreshed(added, removed, locked.size, ms)


def dynamic_in_order() -> list[int]:
    """Return the ids of all dynamic segments, each after those that its rules use."""
    dynamic = Segment.objects.filter(kind=Segment.Kind.DYNAMIC)
    return [each.pk for each in validate.in_order(dynamic)]


def refresh_all(segments: Iterable[Segment] | None = None) -> list[tuple[Segment, Refreshed]]:
    """Refresh the segments (all dynamic ones if none are given), each after those that its rules use.

    A segment with invalid rules is logged and skipped.
    """
    if segments is None:
        segments = Segment.objects.filter(kind=Segment.Kind.DYNAMIC)
    done = []
    for segment in validate.in_order(segments):
        try:
            done.append((segment, refresh(segment)))
        except (RuleError, Segment.DoesNotExist):
            logger.exception("Segment %s was not refreshed.", segment.slug)
    return done


def register_followers(followed: Callable[[], Collection[str]]) -> None:
    """Add a function that returns the slugs of segments whose members something above follows one by one."""
    _followed.append(followed)


def _is_announced(segment: Segment, entering: Sequence[int]) -> bool:
    """Return whether the first members of a segment are announced: few always, many only for a webhook or a follower."""
    return (
        len(entering) <= MOST_ANNOUNCED
        or webhooks.any_subscribes((types.SEGMENT_ENTERED,))
        or any(segment.slug in followed() for followed in _followed)
    )


def _lock(segment: Segment) -> Segment:
    return Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)


@transaction.atomic
def _check(
    segment: Segment, customer_ids: Sequence[int], now: datetime, *, announce: bool = True
) -> tuple[int, int]:
    """Set the membership of these customers by the rules; return how many entered and exited."""
    locked = _lock(segment)
    if locked.kind != Segment.Kind.DYNAMIC:
        return 0, 0
    matching, parameters = _matching(locked, now, customer_ids)
    with connection.cursor() as cursor:
        # a full join and an array, because then no wrong guess about the rule has each member compared with each match;
        # in order, because an index takes neighbours several times as fast as it takes strangers
        cursor.execute(
            f"""
            WITH matching (id) AS MATERIALIZED (
                {matching}
            ), moved AS MATERIALIZED (
                SELECT coalesce(id, customer_id) AS id, id IS NULL AS leaves
                FROM matching FULL JOIN (
                    SELECT customer_id FROM customers_segmentmembership
                    WHERE segment_id = %(segment)s AND customer_id = ANY(%(among)s::bigint[])
                ) members ON customer_id = id
                WHERE id IS NULL OR customer_id IS NULL
            ), entered AS (
                INSERT INTO customers_segmentmembership (segment_id, customer_id, entered_at)
                SELECT %(segment)s, id, %(now)s FROM moved WHERE NOT leaves ORDER BY id
                RETURNING customer_id
            ), exited AS (
                DELETE FROM customers_segmentmembership
                WHERE segment_id = %(segment)s AND customer_id = ANY(ARRAY(SELECT id FROM moved WHERE leaves))
                RETURNING customer_id
            ), announced AS (
                {outbox.INSERT_SQL}
                SELECT %(entered)s, %(slug)s, customer_id, %(data)s::jsonb FROM entered WHERE %(announce)s
                UNION ALL
                SELECT %(exited)s, %(slug)s, customer_id, %(data)s::jsonb FROM exited WHERE %(announce)s
            )
            SELECT (SELECT count(*) FROM entered), (SELECT count(*) FROM exited)
            """,
            {
                **parameters,
                "segment": locked.pk,
                "slug": locked.slug,
                "now": now,
                "among": array_of(customer_ids),
                "entered": types.SEGMENT_ENTERED,
                "exited": types.SEGMENT_EXITED,
                "data": json.dumps({"segment": locked.slug}),
                "announce": announce,
            },
        )
        added, removed = cursor.fetchone()
    if added or removed:
        Segment.objects.filter(pk=locked.pk).update(size=F("size") + added - removed)
    return added, removed


class _Differences(NamedTuple):
    """Customers whose membership differs from the rules, in order, and the error of the stored size."""

    customers: list[int]
    miscounted: int


def _differences(segment: Segment, now: datetime) -> _Differences:
    matching, parameters = _matching(segment, now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH matching (id) AS MATERIALIZED (
                {matching}
            ), moved AS (
                SELECT coalesce(id, customer_id) AS id, id IS NULL AS leaves
                FROM matching FULL JOIN (
                    SELECT customer_id FROM customers_segmentmembership WHERE segment_id = %(segment)s
                ) members ON customer_id = id
                WHERE id IS NULL OR customer_id IS NULL
            )
            SELECT coalesce(array_agg(id ORDER BY id), '{{}}'),
                (SELECT count(*) FROM matching) - count(*) FILTER (WHERE NOT leaves) + count(*) FILTER (WHERE leaves)
                - (SELECT size FROM customers_segment WHERE id = %(segment)s)
            FROM moved
            """,
            {**parameters, "segment": segment.pk},
        )
        return _Differences(*cursor.fetchone())


def _counted(segment: Segment) -> _Differences:
    return _Differences([], segment.memberships.count() - segment.size)


def _matching(
    segment: Segment, now: datetime, among: Sequence[int] | None = None
) -> tuple[str, dict[str, Any]]:
    """Return SQL for the ids of the customers who match, with named placeholders, and its parameters."""
    sql, parameters = (
        Customer.objects.filter(compile_rules(segment.rules, now=now, among=among))
        .order_by()
        .values("pk")
        .query.sql_with_params()
    )
    named = {f"of_rule_{at}": value for at, value in enumerate(parameters)}
    return sql % tuple(f"%({name})s" for name in named), named
