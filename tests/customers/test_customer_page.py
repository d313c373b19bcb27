"""The customer page of the admin charts spend."""

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
