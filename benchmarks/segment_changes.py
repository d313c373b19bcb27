"""1,000 customers change one by one with 50 segments and two workers: the time until all members are right and told once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import connection
from django.utils import timezone

from benchmarks.harness import Result
from benchmarks.serving import database_url
from crm.celery import app
from crm.events import feeds
from crm.events.models import MarketingEvent
from crm.supervisor import die_with_parent
from customers.ingest import upsert_customers
from customers.models import Customer, Segment, SegmentMembership
from customers.segments import matching, refresh
from customers.timeline import NewInteraction, record_interactions, types

CHANGES, WITHIN = 1_000, 10
GIVEN_UP_AFTER = 120
_BAND = 60
_SPEND = [
    {"field": "total_spend", "operator": "between", "value": [20 * number, 20 * number + _BAND]}
    for number in range(30)
]
_PLACE = [{"field": "city", "operator": "=", "value": f"Place {number}"} for number in range(10)]
_VIEWS = [
    {"event": "page_viewed", "operator": ">=", "value": 1, "within_days": 30,
     "where": [{"field": "path", "operator": "=", "value": f"/{number}"}]}
    for number in range(10)
]  # fmt: skip
CONDITIONS: list[dict[str, Any]] = [*_SPEND, *_PLACE, *_VIEWS]

Move = tuple[str, str, int | None]
"""Type of the event, slug of the segment, key of the customer."""


def changes_one_by_one() -> Result:
    """Return the segments of the shop of benchmarks.population."""
    segments = [_filled(number, each) for number, each in enumerate(CONDITIONS)]
    _take_as_read()
    people = list(Customer.objects.order_by("-pk").values_list("pk", "external_id")[:CHANGES])
    ids = [pk for pk, _name in people]
    before = _members(ids)
    with _workers():
        started = time.perf_counter()
        for number, (pk, name) in enumerate(people):
            _change(number, pk, name)
        moves = _moves(before, {each.pk: _matching(each, ids) for each in segments}, segments)
        _wait_until_told(moves)
        took = time.perf_counter() - started
    _check(moves, segments, ids)
    Segment.objects.filter(pk__in=[each.pk for each in segments]).delete()
    return Result("1,000 single changes in 50 segments", CHANGES / took, CHANGES / WITHIN, target=1)


def _take_as_read() -> None:
    """Skip the events of creating the shop and filling its segments."""
    readers = [each.name for each in feeds.subscribers()]
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE events_marketingevent")
        cursor.execute("VACUUM (ANALYZE) customers_customer, customers_segmentmembership")
        cursor.execute(
            """
            INSERT INTO events_feedcursor (name, transaction, position, moved_at, failures, one_by_one, error)
            SELECT unnest(%s::text[]), pg_current_xact_id(), 0, now(), 0, 0, '' ON CONFLICT (name)
            DO UPDATE SET transaction = excluded.transaction, position = 0
            """,
            [readers],
        )


def _filled(number: int, condition: dict[str, Any]) -> Segment:
    rules = {"operator": "AND", "conditions": [condition]}
    segment = Segment.objects.create(name=f"{number}", slug=f"bench-{number}", rules=rules)
    refresh(segment)
    return segment


def _change(number: int, pk: int, name: str | None) -> None:
    """Change customers one by one: spend, city or a page view."""
    match number % 3:
        case 0:
            upsert_customers([{"external_id": name, "opening_spend": number}], evidence="benchmark")
        case 1:
            row = {"external_id": name, "city": f"Place {number % 10}"}
            upsert_customers([row], evidence="benchmark")
        case _:
            viewed = {"path": f"/{number % 10}"}
            record_interactions([NewInteraction(pk, types.PAGE_VIEWED, timezone.now(), viewed)])


def _members(ids: Sequence[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    rows = SegmentMembership.objects.filter(customer__in=ids)
    for segment, customer in rows.values_list("segment_id", "customer_id"):
        found.setdefault(segment, set()).add(customer)
    return found


def _matching(segment: Segment, ids: Sequence[int]) -> set[int]:
    return set(matching(segment.rules, among=ids).values_list("pk", flat=True))


def _moves(
    before: dict[int, set[int]], after: dict[int, set[int]], segments: Sequence[Segment]
) -> set[Move]:
    moves: set[Move] = set()
    for each in segments:
        was, is_now = before.get(each.pk, set()), after[each.pk]
        moves |= {(types.SEGMENT_ENTERED, each.slug, pk) for pk in is_now - was}
        moves |= {(types.SEGMENT_EXITED, each.slug, pk) for pk in was - is_now}
    return moves


def _told() -> Counter[Move]:
    rows = MarketingEvent.objects.filter(subject__startswith="bench-")
    return Counter(rows.values_list("type", "subject", "customer_id"))


def _wait_until_told(moves: set[Move]) -> None:
    gives_up_at = time.monotonic() + GIVEN_UP_AFTER
    while _told().keys() != moves:
        if time.monotonic() > gives_up_at:
            raise TimeoutError(
                f"{len(moves ^ _told().keys())} moves are still to be told, or wrong"
            )
        time.sleep(0.1)


def _check(moves: set[Move], segments: Sequence[Segment], ids: Sequence[int]) -> None:
    """Raise AssertionError for a duplicate event or a wrong member."""
    assert set(_told().values()) == {1}
    members = _members(ids)
    for each in segments:
        assert members.get(each.pk, set()) == _matching(each, ids), each.slug


@contextmanager
def _workers() -> Iterator[None]:
    """Run Celery workers and a beat, as a site does."""
    programs = [_worker("with-beat", "--beat"), _worker("without")]
    try:
        while len(app.control.ping(timeout=1) or []) < len(programs):
            pass
        yield
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.wait()


def _worker(name: str, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "celery", "--app", "crm", "worker", *options, "--concurrency", "1", "--hostname", f"{name}@%h"],
        env=os.environ | {"DATABASE_URL": database_url()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=partial(die_with_parent, signal.SIGTERM),
    )  # fmt: skip
