"""Headline figures shown together are computed together."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from analytics import commerce
from analytics.dashboards import customers_dashboard
from tests.factories.customers import make_customer, make_order, make_product

pytestmark = pytest.mark.django_db


def test_revenue_and_categories_are_computed_together() -> None:
    tea = make_product(category="Tea")
    last = timezone.localdate()
    first = last - timedelta(days=29)
    for amount in (100, 50):
        make_order(make_customer(), amount, products=[tea])
        commerce.cached_categories(first, last)

    found = customers_dashboard.refresh(first, last)

    assert sum(each.revenue for each in found.categories) == found.period.now.revenue == 150
