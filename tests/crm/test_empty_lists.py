"""A list with nothing in it says why, in words that fit what would be in it."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from marketing.models import Snippet

pytestmark = pytest.mark.django_db

MARKETING = [model for model in admin.site._registry if model._meta.app_label == "marketing"]


def words(client: Client, name: str, **asked: str) -> str:
    return client.get(reverse(f"admin:{name}_changelist"), asked).content.decode()


@pytest.mark.parametrize("model", MARKETING, ids=lambda model: model.__name__)
def test_each_list_of_marketing_says_what_comes_into_it(model: type) -> None:
    assert admin.site._registry[model].empty_says


def test_it_says_so_and_offers_to_add_one(staff_client: Client) -> None:
    page = words(staff_client, "marketing_snippet")
    assert "No snippets yet" in page
    assert "a part that many templates share" in page
    assert "Add snippet" in page


def test_what_nobody_types_in_is_not_asked_for(staff_client: Client) -> None:
    page = words(staff_client, "customers_pushsubscription")
    assert "No push subscriptions yet" in page
    assert "when its user says yes" in page
    assert "Add push subscription" not in page
    assert "Create a new item" not in page


@pytest.mark.parametrize("asked", [{"q": "winter"}, {"state__exact": "paused"}])
def test_a_search_that_finds_nothing_leads_back_to_all(
    staff_client: Client, asked: dict[str, str]
) -> None:
    page = words(staff_client, "marketing_campaign", **asked)
    assert "Nothing matches" in page
    assert "Nothing leaves before you say so" not in page


def test_a_list_with_something_in_it_says_nothing_of_the_kind(staff_client: Client) -> None:
    Snippet.objects.create(name="signature", body="Warmly")
    assert "snippets yet" not in words(staff_client, "marketing_snippet")
