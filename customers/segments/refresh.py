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
from customers.segments import references, sizes
from customers.segments.compile import compile_rules
from customers.segments.rules import RuleError

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

    A second refresh of the segment waits for the first. Raises customers.segments.rules.RuleError for rules that do not fit.
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
    for segment in references.in_order(segments):
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
    told = json.dumps({"segment": segment.slug})
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH matching (id) AS MATERIALIZED (
                {matching}
            ), entered AS (
                INSERT INTO customers_segmentmembership (segment_id, customer_id, entered_at)
                SELECT %s, id, %s FROM matching
                WHERE NOT EXISTS (
                    SELECT FROM customers_segmentmembership member
                    WHERE member.segment_id = %s AND member.customer_id = matching.id
                )
                RETURNING customer_id
            ), exited AS (
                DELETE FROM customers_segmentmembership member
                WHERE member.segment_id = %s {"" if among is None else "AND member.customer_id = ANY(%s)"}
                  AND NOT EXISTS (SELECT FROM matching WHERE matching.id = member.customer_id)
                RETURNING customer_id
            ), told AS (
                {outbox.INSERT_SQL}
                SELECT %s, %s, customer_id, %s::jsonb FROM entered
                UNION ALL
                SELECT %s, %s, customer_id, %s::jsonb FROM exited
            )
            SELECT (SELECT count(*) FROM entered), (SELECT count(*) FROM exited), (SELECT count(*) FROM matching)
            """,
            [
                *parameters,
                *(segment.pk, now, segment.pk),
                *([segment.pk] if among is None else [segment.pk, list(among)]),
                *(events.SEGMENT_ENTERED, segment.slug, told),
                *(events.SEGMENT_EXITED, segment.slug, told),
            ],
        )
        added, removed, size = cursor.fetchone()
    return added, removed, size
