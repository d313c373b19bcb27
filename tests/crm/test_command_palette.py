"""Ctrl+K finds pages and rows that the user may open, and never by hidden data."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm import command_palette
from crm.accounts.models import User
from crm.api import ids
from crm.roles import Role
from tests.factories.customers import make_customer
from tests.factories.marketing import make_campaign

pytestmark = pytest.mark.django_db

SEARCH = reverse("admin:search")


def found(client: Client, words: str) -> str:
    response = client.get(SEARCH, {"s": words, "extended": "1"})
    assert response.status_code == 200
    return response.content.decode()


def client_of(role: Role) -> Client:
    user = User.objects.create_user(f"{role.name}@example.com", "open sesame", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def test_it_finds_customers_campaigns_and_pages(staff_client: Client) -> None:
    ada = make_customer(first_name="Ada", last_name="Lindqvist", email="ada@example.com")
    spring = make_campaign(name="Spring sale")

    for words in ("ada", "Lind", "ada@example.com"):
        assert reverse("admin:customers_customer_change", args=[ada.pk]) in found(
            staff_client, words
        )
    assert reverse("admin:marketing_campaign_change", args=[spring.pk]) in found(
        staff_client, "spring"
    )
    assert reverse("admin:marketing_quiethours_changelist") in found(staff_client, "quiet")
    assert reverse("admin:customers_importjob_add") in found(staff_client, "import")


def test_it_offers_commands_without_words(staff_client: Client) -> None:
    assert "Create a campaign" in found(staff_client, "")


@pytest.mark.parametrize("words", ["\x00", "a" * 5000, "%", "\\", "'; --", "ｆｕｌｌ", "<script>"])
def test_odd_words_find_nothing(words: str, staff_client: Client) -> None:
    assert "<script>" not in found(staff_client, words)


def test_masked_roles_find_nobody_by_personal_data() -> None:
    ada = make_customer(first_name="Ada", last_name="Lindqvist", email="ada@example.com")
    analyst = client_of(Role.ANALYST)

    for words in ("ada", "ada@example.com", "Lindqvist"):
        assert reverse("admin:customers_customer_change", args=[ada.pk]) not in found(
            analyst, words
        )
    by_id = found(analyst, ids.encode("cus", ada.pk))
    assert reverse("admin:customers_customer_change", args=[ada.pk]) in by_id
    assert "Lindqvist" not in by_id


def test_it_hides_what_a_role_may_not_open() -> None:
    make_campaign(name="Spring sale")
    support = client_of(Role.SUPPORT)

    assert "Spring" not in found(support, "spring")
    assert "Create a campaign" not in found(support, "")
    assert "Audit" not in found(support, "audit")


def test_it_reads_a_few_rows_and_caches_no_names(staff_client: Client) -> None:
    for number in range(command_palette.ROWS + 3):
        make_customer(first_name="Ada", last_name=f"Nr{number}")
    cache.clear()

    with CaptureQueriesContext(connection) as asked:
        page = found(staff_client, "ada")

    assert page.count("Ada Nr") == 2 * command_palette.ROWS  # the title, and its data attribute
    assert len(asked) < 16
    make_customer(first_name="Adalbert")
    assert "Adalbert" in found(staff_client, "ada")
