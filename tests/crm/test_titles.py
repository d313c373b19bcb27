"""Browser titles name the page, and the first key press on each leads to its content."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.models import User
from crm.unfold import AREAS, ModelLink
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db


def title(client: Client, url: str) -> str:
    page = client.get(url).content.decode()
    assert page.index('class="skip-link" href="#content"') < page.index('id="content"')
    found = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    assert found
    return " ".join(found[1].split())


def test_a_title_names_the_list_or_the_object(staff_client: Client) -> None:
    ada = make_customer(first_name="Ada", last_name="Lindqvist")
    change = reverse("admin:customers_customer_change", args=[ada.pk])
    assert title(staff_client, change) == "Ada Lindqvist | Kindling"
    changelist = reverse("admin:customers_customer_changelist")
    assert title(staff_client, changelist) == "Customers | Kindling"
    add = reverse("admin:customers_customer_add")
    assert title(staff_client, add) == "Add customer | Kindling"
    assert title(staff_client, reverse("admin:index")).endswith(" | Kindling")


def test_lists_are_titled_as_in_the_menu(staff_client: Client) -> None:
    links = [link for _area, entries in AREAS for entry in entries for link in entry.links]
    wrong = {
        str(link.title): shown
        for link in links
        if isinstance(link, ModelLink)
        and (shown := title(staff_client, reverse(link.url_name))) != f"{link.title} | Kindling"
    }
    assert wrong == {}


def test_pages_that_are_missing_or_forbidden_lead_back(client: Client) -> None:
    user = User.objects.create_user("look@example.com", "open sesame", is_staff=True)
    client.force_login(user)
    for url, status, text in (
        ("/nowhere/", 404, "Page not found"),
        (reverse("admin:accounts_user_changelist"), 403, "No access"),
    ):
        response = client.get(url)
        assert response.status_code == status
        page = response.content.decode()
        assert text in page
        assert f'href="{reverse("admin:index")}"' in page


def test_pages_are_compressed_and_streams_are_not(staff_client: Client) -> None:
    answer = staff_client.get(reverse("admin:index"), headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    plain = staff_client.get(reverse("api-root"), headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain
