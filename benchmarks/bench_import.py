"""Imports of customers and orders, from files and over HTTP, against handwritten SQL for the same rows."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from django.db import connection

from benchmarks import Result, Scale, seconds
from benchmarks.import_by_hand import bring_in
from benchmarks.import_files import write_customers, write_order_lines
from benchmarks.serving import serving
from crm.accounts.models import User
from crm.accounts.tokens import issue
from customers.ingest import RejectedRows, file_type, load_file, sample
from customers.models import Customer

CUSTOMERS = {Scale.SMALL: 20_000, Scale.FULL: 1_000_000}
LINES_EACH = 3
CALLS = {Scale.SMALL: 20, Scale.FULL: 200}
A_CALL = 1_000


def run(scale: Scale) -> Iterator[Result]:
    yield from _files(scale)
    yield _batches(scale)


def _files(scale: Scale) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder:
        customers, orders = Path(folder) / "customers.csv", Path(folder) / "orders.csv"
        write_customers(customers, CUSTOMERS[scale])
        write_order_lines(orders, CUSTOMERS[scale], CUSTOMERS[scale] * LINES_EACH)
        rows = CUSTOMERS[scale] * (1 + LINES_EACH)

        by_hand = seconds(lambda: bring_in(customers, orders))
        _empty()
        first = seconds(lambda: _import(customers, orders))
        again = seconds(lambda: _import(customers, orders))
        _empty()
    yield Result("file import", rows / first, rows / by_hand, 0.8)
    yield Result("file import, again", rows / again, rows / first, 2)


def _import(customers: Path, orders: Path) -> None:
    for kind, path in (("customers", customers), ("orders", orders)):
        mapping = file_type(kind).guess_mapping(sample(path).header)
        with RejectedRows(path.with_suffix(".rejected")) as rejected:
            loaded = load_file(
                file_type(kind), path, mapping, rejected=rejected, evidence="benchmark"
            )
        assert loaded.rejected == 0


def _batches(scale: Scale) -> Result:
    calls = [_people(call) for call in range(CALLS[scale])]
    rows = len(calls) * A_CALL

    by_hand = seconds(lambda: _bulk_create(calls))
    _empty()
    with _server() as (port, token):
        bodies = [json.dumps({"customers": call}) for call in calls]
        over_http = seconds(lambda: _send(port, token, bodies))
    assert Customer.objects.count() == rows
    _empty()
    return Result("POST /api/customers/batch", rows / over_http, rows / by_hand, 1.5)


def _people(call: int) -> list[dict[str, Any]]:
    return [
        {
            "external_id": f"c{number}",
            "email": f"c{number}@example.com",
            "first_name": f"First{number % 1000}",
            "last_name": f"Last{number % 5000}",
            "city": "Berlin",
            "country": "DE",
            "tags": ["new"],
            "attributes": {"plan": "free", "seats": number % 10},
        }
        for number in range(call * A_CALL, (call + 1) * A_CALL)
    ]


def _bulk_create(calls: list[list[dict[str, Any]]]) -> None:
    for people in calls:
        Customer.objects.bulk_create(
            [Customer(**person) for person in people],
            update_conflicts=True,
            unique_fields=["external_id"],
            update_fields=[name for name in people[0] if name != "external_id"],
        )


def _send(port: int, token: str, bodies: list[str]) -> None:
    """Send requests one after the other on one connection."""
    client = HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for body in bodies:
        client.request("POST", "/api/customers/batch", body, headers)
        answer = client.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 200, told
        assert told["created"] == A_CALL


@contextmanager
def _server() -> Iterator[tuple[int, str]]:
    """Serve the site; yield its URL and a token."""
    user = User.objects.create_superuser(email="bench@example.com", password=None)
    _row, token = issue(user)
    with serving() as port:
        yield port, token
    user.delete()


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE customers_customer, customers_product, events_marketingevent RESTART IDENTITY CASCADE"
        )
        cursor.execute("ANALYZE")
