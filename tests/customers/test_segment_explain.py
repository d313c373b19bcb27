"""Explanations of membership: each rule's answer with its value."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from crm.api import ids
from customers.models import CustomerProfile, Segment, SegmentMembership
from customers.segments.previews.explain import explain
from tests.factories.customers import make_customer, make_order, make_product

pytestmark = pytest.mark.django_db


def test_each_rule_has_an_answer_and_its_value() -> None:
    ada = make_customer(
        city="Berlin", total_spend=Decimal("1500.50"), tags=["vip"], attributes={"plan": "pro"}
    )
    CustomerProfile.objects.create(customer=ada, churn_risk=0.2)
    make_order(ada, 40, products=[make_product(category="Books")])
    rules: dict[str, Any] = {
        "operator": "AND",
        "conditions": [
            {"field": "total_spend", "operator": ">", "value": 1000},
            {
                "operator": "OR",
                "negate": True,
                "conditions": [
                    {"field": "city", "operator": "=", "value": "Paris"},
                    {"field": "tags", "operator": "contains", "value": "staff"},
                ],
            },
            {"event": "order_placed", "aggregate": "sum:amount", "operator": ">=", "value": 50},
            {"field": "last_visit_at", "operator": "inactive_days", "value": 30},
            {"field": "purchased_categories", "operator": "contains", "value": "Books"},
            {"field": "attributes.plan", "operator": "=", "value": "pro"},
            {"field": "churn_risk", "operator": "<", "value": 0.5},
        ],
    }

    reason = explain(rules, ada, now=datetime(2026, 3, 1, tzinfo=UTC))

    spend, neither, orders, visit, books, plan, risk = reason.parts
    assert not reason.holds
    assert (spend.holds, spend.value) == (True, Decimal("1500.50"))
    assert spend.sentence == "who spent more than $1,000.00"
    assert neither.holds
    assert [(part.holds, part.value) for part in neither.parts] == [
        (False, "Berlin"),
        (False, ["vip"]),
    ]
    assert (orders.holds, orders.value) == (False, Decimal(40))
    assert (visit.holds, visit.value) == (True, None)
    assert (books.holds, books.value) == (True, ["Books"])
    assert (plan.holds, plan.value) == (True, "pro")
    assert (risk.holds, risk.value) == (True, 0.2)


def test_it_runs_one_query_plus_one_per_list_and_figure(
    django_assert_num_queries: Any,
) -> None:
    ada = make_customer()
    rules = {
        "operator": "OR",
        "conditions": [
            {"field": "city", "operator": "=", "value": "Paris"},
            {"field": "total_spend", "operator": ">", "value": 5},
            {"event": "page_viewed", "operator": "=", "value": 0},
        ],
    }

    with django_assert_num_queries(2):
        explain(rules, ada)


def test_the_api_returns_segments_of_a_customer_with_reasons(api: APIClient) -> None:
    ada = make_customer(city="Berlin")
    rules = {
        "operator": "AND",
        "conditions": [{"field": "city", "operator": "=", "value": "berlin"}],
    }
    for name, kind in (("berlin", Segment.Kind.DYNAMIC), ("hand-picked", Segment.Kind.STATIC)):
        segment = Segment.objects.create(name=name, slug=name, kind=kind, rules=rules)
        SegmentMembership.objects.create(segment=segment, customer=ada)

    answer = api.get(f"/api/customers/{ids.encode('cus', ada.pk)}/segments")

    dynamic, static = answer.json()["results"]
    assert dynamic["why"] == {
        "matches": True,
        "operator": "AND",
        "negate": False,
        "conditions": [
            {
                "matches": True,
                "rule": rules["conditions"][0],
                "sentence": "who live in berlin",
                "value": "Berlin",
            }
        ],
    }
    assert static["why"] is None
