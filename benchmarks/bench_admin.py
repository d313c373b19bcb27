"""The admin list, searches and page of customers, against the same pages with 1 % of the customers.

Both shops stand side by side in two databases and are asked in turns, so that what else the machine does falls on both.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from benchmarks import Result, Scale, seconds
from benchmarks.population import populate_with
from crm.accounts.models import User
from crm.api import ids

CUSTOMERS = {Scale.SMALL: 50_000, Scale.FULL: 1_000_000}
FEW = {Scale.SMALL: 500, Scale.FULL: 10_000}
ENTRIES = 10_000
REPEATS = 7
TARGET = 1 / 3
PLAIN_FILES = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

PERSON = 77
LISTS = {
    "list": "",
    "list, page 5": "p=5",
    "list, by spend": "o=-4",
    "list, by name": "o=1",
    "search, name": "q=first17+last17",
    "search, beginning of many names": "q=last1",
    "search, e-mail": "q=c77@example.com",
    "search, phone": "q=%2B49+30+10000077",
    "search, id": f"q={ids.encode('cus', PERSON)}",
    "search, nobody": "q=zzzz",
    "filter, country and state": "country=DE&lifecycle_status__exact=active",
    "filter, tag": "tag=vip",
    "filter, spend": "total_spend_from=5000",
    "filter, days of the last order": "last_order_at_from=2020-01-01",
    "filter, reached by e-mail": "consent=email:reachable",
    "filter, city that nobody is from": "city=Atlantis",
}


def run(scale: Scale) -> Iterator[Result]:
    with override_settings(STORAGES=settings.STORAGES | {"staticfiles": PLAIN_FILES}):
        few_client = shop(FEW[scale])
        with set_aside() as few:
            client = shop(CUSTOMERS[scale])
            for name, url in _pages().items():
                ours, reference = [], []
                for _each in range(REPEATS):
                    ours.append(took(client, url))
                    with connected_to(few):
                        reference.append(took(few_client, url))
                yield Result(
                    f"admin customers: {name}",
                    1 / statistics.median(ours),
                    1 / statistics.median(reference),
                    TARGET,
                )
        empty()


def _pages() -> dict[str, str]:
    changelist = reverse("admin:customers_customer_changelist")
    timeline = reverse("admin:customers_customer_timeline", args=[PERSON])
    return {name: f"{changelist}?{query}" for name, query in LISTS.items()} | {
        "person with 10,000 entries": reverse("admin:customers_customer_change", args=[PERSON]),
        "timeline of them, orders": f"{timeline}?kind=orders",
    }


def shop(customers: int) -> Client:
    """Create customers, one of them with a long timeline, and a staff user."""
    populate_with(customers)
    _long_timeline()
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.create_superuser(email="bench@example.com", password=None))
    return client


def took(client: Client, url: str) -> float:
    """Return the seconds of the second request; the first warms the connection up."""
    _look(client, url)
    return seconds(lambda: _look(client, url))


def _look(client: Client, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)


def _long_timeline() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_interaction (customer_id, type, occurred_at, properties)
            SELECT %s, (array['message_sent','message_opened','page_viewed','order_placed'])[1 + n %% 4],
                now() - n * interval '1 hour', '{"channel": "email"}'
            FROM generate_series(1, %s) n
            """,
            [PERSON, ENTRIES],
        )
        cursor.execute("ANALYZE customers_interaction")


@contextmanager
def set_aside() -> Iterator[str]:
    """Move the data to a database of another name, which is dropped afterwards."""
    own = str(connection.settings_dict["NAME"])
    copy = f"{own}_few"
    with connected_to("postgres"), connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{copy}"')
        cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{own}"')
    empty()
    yield copy
    with connected_to("postgres"), connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{copy}"')


@contextmanager
def connected_to(database: str) -> Iterator[None]:
    """Connect to another database of the same server."""
    own = connection.settings_dict["NAME"]
    _connect(database)
    yield
    _connect(str(own))


def _connect(database: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = database


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE customers_customer, customers_product, events_marketingevent, accounts_user"
            " RESTART IDENTITY CASCADE"
        )
