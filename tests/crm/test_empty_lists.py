"""An empty list of the admin explains what it will contain."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from marketing.models import Snippet

pytestmark = pytest.mark.django_db

MARKETING = [model for model in admin.site._registry if model._meta.app_label == "marketing"]


def page_text(client: Client, name: str, **asked: str) -> str:
    return client.get(reverse(f"admin:{name}_changelist"), asked).content.decode()


@pytest.mark.parametrize("model", MARKETING, ids=lambda model: model.__name__)
def test_each_empty_marketing_list_explains_its_content(model: type) -> None:
    assert admin.site._registry[model].empty_says


def test_an_empty_list_offers_to_add_an_object(staff_client: Client) -> None:
    page = page_text(staff_client, "marketing_snippet")
    assert "No snippets yet" in page
    assert "a part that many templates share" in page
    assert "Add snippet" in page


def test_a_read_only_list_offers_no_add_button(staff_client: Client) -> None:
    page = page_text(staff_client, "customers_pushsubscription")
    assert "No push subscriptions yet" in page
    assert "when its user allows your push messages" in page
    assert "Add push subscription" not in page
    assert "Create a new item" not in page


@pytest.mark.parametrize("asked", [{"q": "winter"}, {"state__exact": "paused"}])
def test_a_search_without_results_links_to_all_rows(
    staff_client: Client, asked: dict[str, str]
) -> None:
    page = page_text(staff_client, "marketing_campaign", **asked)
    assert "Nothing matches" in page
    assert "Nothing is sent until you launch it" not in page


def test_a_filled_list_shows_no_empty_message(staff_client: Client) -> None:
    Snippet.objects.create(name="signature", body="Warmly")
    assert "snippets yet" not in page_text(staff_client, "marketing_snippet")
