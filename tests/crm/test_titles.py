"""Browser titles name the page, and the first key press on each leads to its content."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

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
