"""Workers are killed and Redis is emptied: every event is handled, in order for a customer, and every webhook verifies."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from redis import Redis
from standardwebhooks import Webhook

from crm.events import feeds, outbox
from crm.events.models import FeedCursor, MarketingEvent, WebhookDelivery, WebhookEndpoint
from crm.events.webhooks import endpoints
from tests.faults.processes import running, wait_until, worker
from tests.http_stub import serving

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

EVENTS, CUSTOMERS, POSTED = 10_000, 500, 1_000
KILLS = 4


def happen() -> None:
    """`test.counted` n = 0, 1, … of each customer; a tenth of them `test.posted`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            {outbox.INSERT_SQL}
            SELECT CASE WHEN n %% 10 = 0 THEN 'test.posted' ELSE 'test.counted' END, '', 1 + n / 10 %% %s,
                   jsonb_build_object('n', n)
            FROM generate_series(0, %s) n ORDER BY n
            """,
            [CUSTOMERS, EVENTS - 1],
        )


def test_events_stay_in_order_when_workers_die() -> None:
    redis = Redis.from_url(settings.CACHES["default"]["LOCATION"])
    redis.delete(settings.EVENT_STREAM)
    streamed: list[dict[str, Any]] = []
    last = "0"

    def read_stream() -> None:
        nonlocal last
        for entry, fields in redis.xrange(settings.EVENT_STREAM, min=f"({last}"):  # type: ignore[union-attr]
            last = entry.decode()
            streamed.append(json.loads(fields[b"event"]))

    with serving() as receiver:
        endpoint = WebhookEndpoint(name="Test", url=receiver.url, types=["test.posted"])
        secret = endpoints.create(endpoint)
        happen()
        program = worker(processes=2, OUTBOUND_ALLOW_PRIVATE="true")
        with running(program):
            for _kill in range(KILLS):
                time.sleep(random.uniform(1.5, 3))
                program.kill()
                read_stream()
                redis.flushall()
                last = "0"
                WebhookDelivery.objects.update(leased_until=None)  # as if the leases had run out
                program.start()
            wait_until(lambda: endpoint.deliveries.filter(state="delivered").count() == POSTED, 60)
            wait_until(lambda: _is_read("publish to the event stream"), 20)
        read_stream()

    events = MarketingEvent.objects.filter(type__startswith="test.")
    ids = {str(pk) for pk in events.values_list("event_id", flat=True)}
    assert len(ids) == EVENTS
    assert ids <= {each["id"] for each in streamed}
    _assert_in_order(streamed)
    posted = [Webhook(secret).verify(each.body, dict(each.headers)) for each in receiver.requests]
    assert len({each["id"] for each in posted}) == POSTED
    _assert_in_order(posted)


def _is_read(name: str) -> bool:
    subscriber = feeds.find(name)
    assert subscriber
    return feeds.position(FeedCursor.objects.get(name=name)) == subscriber.source.head()


def _assert_in_order(events: list[dict[str, Any]]) -> None:
    """Return the first occurrence of each event, in order for its customer."""
    seen: dict[str, list[int]] = defaultdict(list)
    for event in events:
        number = event["data"].get("n")
        if number is not None and number not in seen[event["subject"]]:
            seen[event["subject"]].append(number)
    assert all(numbers == sorted(numbers) for numbers in seen.values())
