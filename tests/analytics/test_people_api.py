"""The API summarizes customers by RFM, churn risk and cohort."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from analytics.people import profiles, rfm
from customers import customer_totals
from customers.models import CustomerProfile
from tests.factories.customers import make_customer, make_order

pytestmark = pytest.mark.django_db


def test_every_pair_of_scores_has_one_named_segment() -> None:
    for recency in "12345":
        for frequency in "12345":
            names = [name for name, r, f in rfm.SEGMENTS if recency in r and frequency in f]
            assert len(names) == 1, (recency, frequency, names)


def test_scores_are_quintiles_and_equal_values_share_a_score(api: APIClient) -> None:
    for number in range(10):
        customer = make_customer()
        for order in range(1 if number < 8 else number):
            make_order(customer, 10 + number, _day(2025, 1 + number, 1 + order))
    customer_totals.rebuild()
    profiles.rebuild()

    found = _get(api, "rfm_segmentation")

    assert found["customers"] == 10
    by_recency = [0] * 6
    for cell in found["scores"]:
        by_recency[cell["recency"]] += cell["customers"]
    assert by_recency[1:] == [2, 2, 2, 2, 2]
    assert CustomerProfile.objects.filter(frequency_score=1).count() == 8
    assert sum(segment["customers"] for segment in found["segments"]) == 10


def test_no_customer_has_scores_without_orders(api: APIClient) -> None:
    make_customer()
    profiles.rebuild()

    assert _get(api, "rfm_segmentation")["customers"] == 0
    assert _get(api, "churn_risk")["customers"] == 0
    assert _get(api, "cohorts")["results"] == []


def test_churn_risks_are_counted_by_level_and_decile(api: APIClient) -> None:
    for risk in (0.05, 0.3, 0.69, 0.7, 1.0):
        CustomerProfile.objects.create(customer=make_customer(), churn_risk=risk)

    found = _get(api, "churn_risk")

    assert (found["low"], found["medium"], found["high"]) == (1, 2, 2)
    assert found["tenths"] == [1, 0, 0, 1, 0, 0, 1, 1, 0, 1]
    assert found["mean"] == pytest.approx(0.548)


def test_cohorts_are_by_the_month_of_the_first_purchase(api: APIClient) -> None:
    ada, bob = make_customer(), make_customer()
    for month in (1, 2, 4):
        make_order(ada, 10 * month, _day(2025, month, 5))
    make_order(bob, 7, _day(2025, 1, 31))

    cohort = _get(api, "cohorts")["results"][0]

    assert cohort["month"] == "2025-01-01"
    assert cohort["customers"] == 2
    assert cohort["active"] == [2, 1, 0, 1]
    assert cohort["retention"] == [1.0, 0.5, 0.0, 0.5]
    assert cohort["revenue"] == ["17.00", "20.00", "0.00", "40.00"]


def _get(api: APIClient, name: str) -> dict[str, Any]:
    answer = api.get(f"/api/analytics/{name}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)
