"""The list of customers, searches in it and a person's page in the admin, against the same pages of a hundredth of the customers."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from benchmarks import Result, Scale, median_seconds
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
        reference = _measure(FEW[scale])
        ours = _measure(CUSTOMERS[scale])
    for name, took in ours.items():
        yield Result(f"admin customers: {name}", 1 / took, 1 / reference[name], TARGET)


def _measure(customers: int) -> dict[str, float]:
    """Seconds of each page."""
    populate_with(customers)
    _long_timeline()
    user = User.objects.create_superuser(email="bench@example.com", password=None)
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    changelist = reverse("admin:customers_customer_changelist")
    pages = {name: f"{changelist}?{query}" for name, query in LISTS.items()}
    pages["person with 10,000 entries"] = reverse("admin:customers_customer_change", args=[PERSON])
    pages["timeline of them, orders"] = (
        reverse("admin:customers_customer_timeline", args=[PERSON]) + "?kind=orders"
    )
    took = {name: _page(client, url) for name, url in pages.items()}
    _empty()
    return took


def _page(client: Client, url: str) -> float:
    def look() -> None:
        answer = client.get(url)
        assert answer.status_code == 200, (url, answer.status_code)

    look()
    return median_seconds(look, REPEATS)


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


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE customers_customer, customers_product, events_marketingevent, accounts_user"
            " RESTART IDENTITY CASCADE"
        )
