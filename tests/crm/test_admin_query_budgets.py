"""Every list and page of the admin stays within its budget of queries, however many rows it shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

pytestmark = pytest.mark.django_db

LIST = 13
"""Queries of a list: about nine are the session, the user, permissions, the sidebar and savepoints."""
PAGE = 13

LISTS = {
    "accounts.User": 14,
    "analytics.CampaignMetrics": 16,
    "events.FeedCursor": 16,
    "marketing.Sender": 14,
}
PAGES = {
    "customers.Customer": 23,
    "customers.Segment": 26,
    "django_celery_beat.PeriodicTask": 15,
    "marketing.Campaign": 38,
    "marketing.CampaignExecution": 16,
    "marketing.CampaignTemplate": 16,
    "marketing.Sender": 17,
}


def test_lists_and_pages_stay_within_budget(staff_client: Client) -> None:
    call_command("load_sample_data", verbosity=0)

    over = [
        f"{address}: {asked} queries, budget {budget}"
        for address, budget in _pages()
        if (asked := _queries(staff_client, address)) > budget
        # The first request fills caches.
        and (asked := _queries(staff_client, address)) > budget
    ]

    assert over == []


def test_lists_need_no_more_queries_for_more_rows(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("load_sample_data", verbosity=0)

    for model, model_admin in admin.site._registry.items():
        if model._default_manager.count() > 2:
            address = _address(model, "changelist")
            of_all = _queries(staff_client, address)
            monkeypatch.setattr(model_admin, "list_per_page", 2)
            # One more: a relation that none of the first two rows has is prefetched.
            assert of_all <= _queries(staff_client, address) + 1, model._meta.label


def _pages() -> Iterator[tuple[str, int]]:
    """Yield the address of each list, and of the newest row of each model, with its budget."""
    for model in admin.site._registry:
        label = model._meta.label
        yield _address(model, "changelist"), LISTS.get(label, LIST)
        row = model._default_manager.order_by("-pk").first()
        if row:
            yield _address(model, "change", row), PAGES.get(label, PAGE)


def _queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def _address(model: type[Model], page: str, row: Model | None = None) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=[quote(row.pk)] if row else [])
