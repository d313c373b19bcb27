"""Dashboards and the campaign page against the same with 1 % of the data; all profiles against handwritten SQL.

Figures that take long are cached and refreshed by a worker (analytics.background_cache), so pages are timed on the second request.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from analytics.people import rebuild_profiles
from benchmarks import Result, Scale, seconds
from benchmarks.bench_admin import (
    CUSTOMERS,
    FEW,
    PLAIN_FILES,
    REPEATS,
    connected_to,
    empty,
    set_aside,
    shop,
    took,
)
from benchmarks.profiles_by_hand import work_out
from tests.factories.marketing import make_campaign, make_run

PAGES_TARGET = 1 / 1.3
PROFILES_TARGET = 1 / 3

_SEND = """
    INSERT INTO marketing_campaignexecution (run_id, customer_id, address, state, sent_at, opened_at, clicked_at)
    SELECT %(run)s, id, email, 'sent', now() - id %% 4000 * interval '1 minute',
           CASE WHEN id %% 3 = 0 THEN now() END, CASE WHEN id %% 11 = 0 THEN now() END
    FROM customers_customer;
    INSERT INTO analytics_campaignmetrics (run_id, hour, sent, opened, opens, clicked, clicks, converted, revenue)
    SELECT %(run)s, date_trunc('hour', now()) - hour * interval '1 hour', sum(1), count(*) / 3, count(*) / 2, count(*) / 11,
           count(*) / 9, count(*) / 90, count(*) / 2
    FROM customers_customer, LATERAL (SELECT id %% 70 AS hour) AS spread GROUP BY hour;
    UPDATE marketing_campaignrun SET audience = (SELECT count(*) FROM customers_customer) WHERE id = %(run)s;
    ANALYZE marketing_campaignexecution;
"""


def run(scale: Scale) -> Iterator[Result]:
    with override_settings(STORAGES=settings.STORAGES | {"staticfiles": PLAIN_FILES}):
        few_client, few_pages = _marketed(FEW[scale])
        with set_aside() as few:
            client, pages = _marketed(CUSTOMERS[scale])
            for name, url in pages.items():
                ours, reference = [], []
                for _each in range(REPEATS):
                    ours.append(_took("many", client, url))
                    with connected_to(few):
                        reference.append(_took("few", few_client, few_pages[name]))
                yield Result(
                    f"page: {name}",
                    1 / statistics.median(ours),
                    1 / statistics.median(reference),
                    PAGES_TARGET,
                )
            yield _profiles()
        empty()


def _marketed(customers: int) -> tuple[Client, dict[str, str]]:
    """Create a shop with one campaign to all customers; return its pages by name."""
    client = shop(customers)
    campaign = make_campaign(state="completed")
    sent = make_run(campaign, state="finished")
    with connection.cursor() as cursor:
        cursor.execute(_SEND, {"run": sent.pk})
    return client, {
        "home": reverse("admin:index"),
        "customers": reverse("admin:analytics_customers"),
        "marketing": reverse("admin:analytics_marketing"),
        "campaign": reverse("admin:marketing_campaign_change", args=[campaign.pk]),
    }


def _took(size: str, client: Client, url: str) -> float:
    """Clear the cache, which all shops share."""
    cache.key_prefix = size
    return took(client, url)


def _profiles() -> Result:
    by_hand = seconds(work_out)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_customerprofile")
    ours = seconds(rebuild_profiles)
    return Result("profiles of everyone", 1 / ours, 1 / by_hand, PROFILES_TARGET)
