"""The customer page of the admin charts spend, and its form reads values as imports do."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer
from tests.factories.customers import make_customer, make_order

pytestmark = pytest.mark.django_db


def page(client: Client, customer: Customer) -> str:
    url = reverse("admin:customers_customer_change", args=[customer.pk])
    return client.get(url).content.decode()


def test_the_page_charts_spend_by_month(staff_client: Client) -> None:
    ada = make_customer(last_order_at=timezone.now())
    make_order(ada, "12.50")
    assert '<figure id="spend-by-month" data-chart>' in page(staff_client, ada)


def test_a_customer_without_orders_has_no_chart(staff_client: Client) -> None:
    assert "spend-by-month" not in page(staff_client, make_customer())


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({"phone": "0701740605", "country": "Sweden"}, {"phone": "+46701740605", "country": "SE"}),
        ({"country": "deutschland"}, {"country": "DE"}),
        ({"timezone": "europe/berlin"}, {"timezone": "Europe/Berlin"}),
    ],
)
def test_the_form_reads_as_an_import_does(
    staff_client: Client, typed: dict[str, str], stored: dict[str, str]
) -> None:
    form = {"email": "ada@example.com", "lifecycle_status": "lead", "attributes": "{}"}
    staff_client.post(reverse("admin:customers_customer_add"), form | typed)
    ada = Customer.objects.get()
    assert {name: getattr(ada, name) for name in stored} == stored


@pytest.mark.parametrize(
    "typed",
    [{"phone": "12"}, {"country": "Atlantis"}, {"external_id": "undefined"}, {"timezone": "Mars"}],
)
def test_the_form_refuses_what_no_import_takes(staff_client: Client, typed: dict[str, str]) -> None:
    form = {"email": "ada@example.com", "lifecycle_status": "lead", "attributes": "{}"}
    page = staff_client.post(reverse("admin:customers_customer_add"), form | typed)
    assert page.context["errors"]
    assert not Customer.objects.exists()
