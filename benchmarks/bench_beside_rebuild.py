"""A campaign starts, is sent and is counted while all profiles are rebuilt, against the same without; and how long a feed stands still.

The workers and beat are those of `make up`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median

from django.conf import settings
from django.db import connection
from django.db.models import Sum

from analytics.models import CampaignMetrics, ModelRun, ProfileRebuild
from analytics.people import profiles
from benchmarks import Result, Scale, newsletter, seconds, smtp_sink
from benchmarks.population import populate_with
from benchmarks.serving import database_url
from crm import jobs
from crm.celery import app
from crm.events import feeds
from crm.events.models import FeedCursor
from crm.management.commands.serve import WORKERS, workers_and_beat
from crm.supervisor import die_with_parent
from customers.models import Customer, Segment
from marketing import campaigns
from marketing.models import Campaign, CampaignRun

CUSTOMERS = {Scale.SMALL: 60_000, Scale.FULL: 1_000_000}
MESSAGES = {Scale.SMALL: 3_000, Scale.FULL: 20_000}
ROUNDS = {Scale.SMALL: 3, Scale.FULL: 2}
LONGEST_STANDSTILL = 5.0
GIVEN_UP_AFTER = 600


def run(scale: Scale) -> Iterator[Result]:
    populate_with(CUSTOMERS[scale])
    audience = _audience(MESSAGES[scale])
    _skip_what_there_is()
    alone: list[float] = []
    beside: list[float] = []
    longest = 0.0
    with ExitStack() as stack:
        port = stack.enter_context(smtp_sink.running())
        stack.enter_context(_workers(port))
        _send(audience, port, "warm up")
        for round_ in range(ROUNDS[scale]):
            # in turns, so that what else the machine does falls on both
            alone.append(seconds(partial(_send, audience, port, f"alone {round_}")))
            with _rebuilding(), _watched() as watch:
                beside.append(seconds(partial(_send, audience, port, f"beside {round_}")))
            longest = max(longest, watch.longest)
    yield Result("sending beside a rebuild", 1 / median(beside), 1 / median(alone), target=0.8)
    name = f"no feed stands still beside a rebuild (longest: {longest:.1f} s)"
    yield Result(name, 1 / max(longest, 0.1), 1 / LONGEST_STANDSTILL, target=1)
    newsletter.empty()


def _audience(customers: int) -> Segment:
    segment = Segment.objects.create(name="audience", slug="audience", kind=Segment.Kind.STATIC)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_segmentmembership (segment_id, customer_id) "
            "SELECT %s, id FROM customers_customer ORDER BY id LIMIT %s",
            [segment.pk, customers],
        )
    return segment


def _skip_what_there_is() -> None:
    """The shop that was made is no news to any subscriber, and no reason to rebuild profiles before they are to be."""
    buyers = Customer.objects.filter(order_count__gt=0).count()
    ModelRun.objects.create(kind=ModelRun.Kind.RFM, customers=buyers)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (now,) = cursor.fetchone()
    FeedCursor.objects.bulk_create(
        FeedCursor(name=each.name, transaction=now) for each in feeds.subscribers()
    )


@contextmanager
def _workers(mail_port: int) -> Iterator[None]:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
    }
    programs = [
        subprocess.Popen(
            program.command,
            env=environment,
            cwd=settings.BASE_DIR,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, signal.SIGTERM),
        )
        for program in workers_and_beat()
    ]
    try:
        _wait_until(lambda: len(app.control.ping(timeout=1) or []) == len(WORKERS))
        yield
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.wait()


def _send(audience: Segment, port: int, name: str) -> None:
    """From the launch until every message is counted."""
    campaign = newsletter.make_campaign(name, port, connections=4)
    Campaign.objects.filter(pk=campaign.pk).update(rules=None)
    campaign.refresh_from_db()
    campaign.segments.add(audience)
    run = campaigns.launch(campaign)
    assert isinstance(run, CampaignRun)
    counted = CampaignMetrics.objects.filter(run=run)
    _wait_until(lambda: counted.aggregate(sent=Sum("sent"))["sent"] == audience.memberships.count())


@contextmanager
def _rebuilding() -> Iterator[None]:
    """Rebuild all profiles meanwhile, from nothing; the models are fitted when this begins."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_customerprofile")
    rebuild = profiles.start_rebuild()
    assert rebuild
    under_way = ProfileRebuild.objects.filter(pk=rebuild.pk, finished_at=None)
    _wait_until(lambda: under_way.filter(done__gt=0).exists())
    yield
    assert under_way.exists(), "the rebuild ended before the campaign"
    jobs.cancel(rebuild)


class _Watch(threading.Thread):
    """Looks ten times a second how long each cursor has not moved while rows wait, beyond the pause that its subscriber wants."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0
        self.over = threading.Event()

    def run(self) -> None:
        still: dict[str, tuple[feeds.Position, float]] = {}
        while not self.over.wait(0.1):
            heads = {each.source: _newest(each.source) for each in feeds.subscribers()}
            cursors = feeds.cursors(feeds.subscribers())
            now = time.monotonic()
            for each in feeds.subscribers():
                at = feeds.position(cursors[each.name])
                if at >= heads[each.source] or still.get(each.name, (None,))[0] != at:
                    still[each.name] = at, now
                stood = now - still[each.name][1] - each.every.total_seconds()
                self.longest = max(self.longest, stood)
        connection.close()


@contextmanager
def _watched() -> Iterator[_Watch]:
    watch = _Watch()
    watch.start()
    try:
        yield watch
    finally:
        watch.over.set()
        watch.join()


def _newest(source: feeds.Source) -> feeds.Position:
    """The newest row, final or not: a row that an older transaction keeps from being final waits, too."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT newest.transaction::text::bigint, {source.key} FROM {source.table} newest "
            f"ORDER BY newest.transaction DESC, {source.key} DESC LIMIT 1"
        )
        return feeds.Position(*(cursor.fetchone() or ()))


def _wait_until(condition: Callable[[], bool]) -> None:
    gives_up_at = time.monotonic() + GIVEN_UP_AFTER
    while not condition():
        if time.monotonic() > gives_up_at:
            raise TimeoutError("the workers did not do it")
        time.sleep(0.1)
