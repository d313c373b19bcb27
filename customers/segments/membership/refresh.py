"""Bring a dynamic segment's members up to date: by difference, in one statement, with an event for everyone who enters or leaves."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from crm.events import outbox
from customers import events
from customers.models import Customer, Segment
from customers.segments.language import validate
from customers.segments.language.rules import RuleError
from customers.segments.membership import sizes
from customers.segments.sql.behaviour import array_of
from customers.segments.sql.compile import compile_rules

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many came and went, how many are in now, and how many milliseconds it took."""

    added: int
    removed: int
    size: int
    ms: int


def refresh(segment: Segment, *, now: datetime | None = None) -> Refreshed:
    """Recompute who is in the segment, as of `now`, and keep its size and time with it; a static one is only counted.

    A second refresh of the segment waits for the first. Raises RuleError for rules that do not fit.
    """
    now = now or timezone.now()
    started = time.perf_counter()
    with transaction.atomic():
        locked = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
        if locked.kind == Segment.Kind.DYNAMIC:
            added, removed, locked.size = _follow_rules(locked, now)
        else:
            added, removed, locked.size = 0, 0, locked.memberships.count()
        locked.refreshed_at = now
        locked.refresh_ms = round((time.perf_counter() - started) * 1000)
        Segment.objects.filter(pk=locked.pk).update(
            size=locked.size, refreshed_at=locked.refreshed_at, refresh_ms=locked.refresh_ms
        )
        sizes.record(locked, now)
    segment.size, segment.refreshed_at, segment.refresh_ms = (
        locked.size,
        locked.refreshed_at,
        locked.refresh_ms,
    )
    return Refreshed(added, removed, locked.size, locked.refresh_ms)


def refresh_for(
    segment: Segment, customer_ids: Sequence[int], *, now: datetime | None = None
) -> Refreshed:
    """refresh() for these customers alone: whether they are in, and nothing about anybody else."""
    now = now or timezone.now()
    started = time.perf_counter()
    with transaction.atomic():
        locked = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
        added = removed = 0
        if locked.kind == Segment.Kind.DYNAMIC:
            added, removed, _matching = _follow_rules(locked, now, customer_ids)
        if added or removed:
            locked.size += added - removed
            Segment.objects.filter(pk=locked.pk).update(size=locked.size)
            sizes.record(locked, now)
    ms = round((time.perf_counter() - started) * 1000)
    return Refreshed(added, removed, locked.size, ms)


def refresh_all(segments: Iterable[Segment] | None = None) -> list[tuple[Segment, Refreshed]]:
    """Refresh the segments (all dynamic ones if none are given), each after those that its rules speak of.

    One whose rules no longer fit is logged and passed over, so that it stops no other.
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


def _follow_rules(
    segment: Segment, now: datetime, among: Sequence[int] | None = None
) -> tuple[int, int, int]:
    """How many came, went and match, of everyone or of those customers."""
    matching, parameters = (
        Customer.objects.filter(compile_rules(segment.rules, now=now, among=among))
        .order_by()
        .values("pk")
        .query.sql_with_params()
    )
    members = "SELECT customer_id FROM customers_segmentmembership WHERE segment_id = %(segment)s"
    if among is not None:
        members += " AND customer_id = ANY(%(among)s::bigint[])"
    with connection.cursor() as cursor:
        # a full join and an array, because then no wrong guess about the rule has each member compared with each match
        cursor.execute(
            f"""
            WITH matching (id) AS MATERIALIZED (
                {_with_names(matching, len(parameters))}
            ), moved AS MATERIALIZED (
                SELECT coalesce(id, customer_id) AS id, id IS NULL AS leaves
                FROM matching FULL JOIN ({members}) members ON customer_id = id
                WHERE id IS NULL OR customer_id IS NULL
            ), entered AS (
                INSERT INTO customers_segmentmembership (segment_id, customer_id, entered_at)
                SELECT %(segment)s, id, %(now)s FROM moved WHERE NOT leaves
                RETURNING customer_id
            ), exited AS (
                DELETE FROM customers_segmentmembership
                WHERE segment_id = %(segment)s AND customer_id = ANY(ARRAY(SELECT id FROM moved WHERE leaves))
                RETURNING customer_id
            ), told AS (
                {outbox.INSERT_SQL}
                SELECT %(entered)s, %(slug)s, customer_id, %(told)s::jsonb FROM entered
                UNION ALL
                SELECT %(exited)s, %(slug)s, customer_id, %(told)s::jsonb FROM exited
            )
            SELECT (SELECT count(*) FROM entered), (SELECT count(*) FROM exited), (SELECT count(*) FROM matching)
            """,
            {
                **{f"of_rule_{at}": value for at, value in enumerate(parameters)},
                "segment": segment.pk,
                "slug": segment.slug,
                "now": now,
                "among": None if among is None else array_of(among),
                "entered": events.SEGMENT_ENTERED,
                "exited": events.SEGMENT_EXITED,
                "told": json.dumps({"segment": segment.slug}),
            },
        )
        added, removed, size = cursor.fetchone()
    return added, removed, size


def _with_names(sql: str, parameters: int) -> str:
    """The statement with named placeholders: of_rule_0, of_rule_1, …"""
    return sql % tuple(f"%(of_rule_{at})s" for at in range(parameters))
