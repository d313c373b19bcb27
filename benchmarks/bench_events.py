"""Events of the Segment spec over HTTP, 100 a request, against bulk_create of the same rows."""

from __future__ import annotations

import base64
import json
import statistics
from collections.abc import Iterator
from datetime import datetime
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.utils import timezone

from benchmarks import Result, Scale, seconds
from benchmarks.serving import serving
from customers import tracking_api
from customers.ingest import upsert_customers
from customers.models import Customer, Interaction, ReceivedMessage, WriteKey

A_CALL = 100
CALLS = {Scale.SMALL: 100, Scale.FULL: 1_000}
CUSTOMERS = {Scale.SMALL: 20_000, Scale.FULL: 1_000_000}
A_BATCH = 5_000


def run(scale: Scale) -> Iterator[Result]:
    _people(CUSTOMERS[scale])
    key, text = tracking_api.issue_key("benchmark")
    by_name = dict(Customer.objects.values_list("external_id", "pk"))
    ours, theirs = [], []
    with serving() as port:
        client = HTTPConnection("127.0.0.1", port, timeout=120)
        authorization = base64.b64encode(f"{text}:".encode()).decode()
        headers = {"Authorization": f"Basic {authorization}", "Content-Type": "application/json"}
        for call in range(CALLS[scale]):
            # in turns, so that what else the machine does falls on both
            body = json.dumps({"batch": _events(call, scale), "sentAt": timezone.now().isoformat()})
            rows = _events(call, scale)
            ours.append(seconds(lambda body=body: _send(client, body, headers)))  # type: ignore[misc]
            theirs.append(seconds(lambda rows=rows: _bulk_create(rows, by_name, key)))  # type: ignore[misc]
    assert Interaction.objects.count() == 2 * CALLS[scale] * A_CALL
    yield Result(
        "one event in",
        A_CALL / statistics.median(ours),
        A_CALL / statistics.median(theirs),
        1,
    )
    _empty()


def _people(how_many: int) -> None:
    for start in range(0, how_many, A_BATCH):
        rows = [{"external_id": f"c{n}"} for n in range(start, min(start + A_BATCH, how_many))]
        upsert_customers(rows, evidence="benchmark")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) customers_customer, customers_identity")


def _events(call: int, scale: Scale) -> list[dict[str, Any]]:
    return [
        {
            "type": "track",
            "event": "Product Viewed",
            "userId": f"c{(call * 7919 + place * 104_729) % CUSTOMERS[scale]}",
            "messageId": str(uuid4()),
            "timestamp": timezone.now().isoformat(),
            "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
            "properties": {"sku": f"sku-{place}", "price": 12.5, "category": "Tea"},
        }
        for place in range(A_CALL)
    ]


def _send(client: HTTPConnection, body: str, headers: dict[str, str]) -> None:
    client.request("POST", "/v1/batch", body, headers)
    answer = client.getresponse()
    told = answer.read()
    assert answer.status == 200, told


def _bulk_create(
    events: list[dict[str, Any]], by_name: dict[str | None, int], key: WriteKey
) -> None:
    """Insert the timeline rows and message ids alone; the reference resolves no customers and updates no totals."""
    with transaction.atomic():
        ReceivedMessage.objects.bulk_create(
            ReceivedMessage(write_key=key, message_id=event["messageId"]) for event in events
        )
        Interaction.objects.bulk_create(
            Interaction(
                customer_id=by_name[event["userId"]],
                type=event["event"],
                occurred_at=datetime.fromisoformat(event["timestamp"]),
                properties=event["properties"],
            )
            for event in events
        )


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE customers_customer, customers_writekey, events_marketingevent RESTART IDENTITY CASCADE"
        )
