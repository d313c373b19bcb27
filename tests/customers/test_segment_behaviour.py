"""Rules about events: counts, sums, windows, conditions, and customers without events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.api import ids
from customers.models import Customer, Interaction
from customers.segments.language import event_types
from customers.segments.language.describe import describe
from customers.segments.language.rules import RuleError, canonical
from customers.segments.sql.compile import compile_rules
from tests.factories.customers import make_customer, make_order, make_product

pytestmark = pytest.mark.django_db


def all_of(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": "AND", "conditions": list(conditions)}


def matching(*conditions: dict[str, Any]) -> set[Customer]:
    return set(Customer.objects.filter(compile_rules(all_of(*conditions))))


def happened(customer: Customer, name: str, days_ago: float = 1, **fields: Any) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    Interaction.objects.create(customer=customer, type=name, occurred_at=at, **fields)


def test_opened_nothing_includes_customers_without_messages() -> None:
    opened, long_ago, never = make_customer(), make_customer(), make_customer()
    happened(opened, "message_opened", 59)
    happened(long_ago, "message_opened", 61)
    nothing = {"event": "message_opened", "operator": "=", "value": 0, "within_days": 60}

    assert matching(nothing) == {long_ago, never}


def test_spend_on_a_category_sums_its_order_lines_only() -> None:
    books, lamp = make_product(category="Books"), make_product(category="Home")
    reader, buyer = make_customer(), make_customer()
    make_order(reader, 300, products=[books])
    make_order(reader, 250, products=[books, lamp])
    make_order(buyer, 900, products=[lamp, books])
    rule = {
        "event": "order_placed",
        "aggregate": "sum:amount",
        "operator": ">=",
        "value": "500",
        "where": [{"field": "category", "operator": "=", "value": "books"}],
    }

    assert matching(rule) == {reader}
    assert matching({**rule, "where": []}) == {reader, buyer}


def test_order_conditions_apply_to_the_same_order_line() -> None:
    lamp = make_product(name="Lamp", category="Home")
    novel = make_product(name="Novel", category="Books")
    somebody = make_customer()
    make_order(somebody, products=[lamp, novel])

    def bought(product: str, category: str) -> dict[str, Any]:
        where = [
            {"field": "product", "operator": "=", "value": product},
            {"field": "category", "operator": "=", "value": category},
        ]
        return {"event": "order_placed", "operator": ">", "value": 0, "where": where}

    assert matching(bought("lamp", "home")) == {somebody}
    assert matching(bought("lamp", "books")) == set()


def test_an_order_with_several_lines_counts_once() -> None:
    somebody = make_customer()
    make_order(somebody, products=[make_product(category="Books"), make_product(category="Books")])
    where = [{"field": "category", "operator": "=", "value": "Books"}]

    twice = {"event": "order_placed", "operator": ">=", "value": 2, "where": where}

    assert matching(twice) == set()
    assert matching({**twice, "operator": "="} | {"value": 1}) == {somebody}


def test_at_most_n_times_includes_never() -> None:
    once, thrice, never = make_customer(), make_customer(), make_customer()
    happened(once, "page_viewed")
    for _ in range(3):
        happened(thrice, "page_viewed")

    assert matching({"event": "page_viewed", "operator": "<", "value": 2}) == {once, never}
    assert matching({"event": "page_viewed", "operator": "between", "value": [1, 3]}) == {
        once,
        thrice,
    }
    assert matching({"event": "page_viewed", "operator": "!=", "value": 3}) == {once, never}


def test_message_rules_filter_campaign_channel_and_link() -> None:
    ada, eve = make_customer(), make_customer()
    happened(
        ada, "message_clicked", campaign_id=7, properties={"channel": "email", "link": "/sale"}
    )
    happened(eve, "message_clicked", campaign_id=8, properties={"channel": "sms", "link": "/home"})

    def clicked(field: str, value: Any, operator: str = "=") -> set[Customer]:
        where = [{"field": field, "operator": operator, "value": value}]
        return matching({"event": "message_clicked", "operator": ">=", "value": 1, "where": where})

    assert clicked("campaign", ids.encode("cmp", 7)) == {ada}
    assert clicked("campaign", [7, "8"], "in") == {ada, eve}
    assert clicked("campaign", 7, "!=") == {eve}
    assert clicked("channel", "SMS") == {eve}
    assert clicked("link", "/sa", "starts_with") == {ada}
    assert clicked("run", 1, "!=") == {ada, eve}


def test_a_custom_event_filters_by_any_property() -> None:
    ada, eve = make_customer(), make_customer()
    happened(ada, "Plan Upgraded", properties={"seats": 5, "price": "49.50", "tags": ["Pro"]})
    happened(eve, "Plan Upgraded", properties={"seats": "many"})
    upgraded = {"event": "Plan Upgraded", "operator": ">=", "value": 1}

    def where(field: str, operator: str, value: Any) -> set[Customer]:
        return matching(
            {**upgraded, "where": [{"field": field, "operator": operator, "value": value}]}
        )

    assert where("seats", ">", 4) == {ada}
    assert where("seats", "=", "MANY") == {eve}
    assert where("tags", "contains", "pro") == {ada}
    assert matching({**upgraded, "aggregate": "sum:price", "operator": ">", "value": 49}) == {ada}


def test_event_rules_work_in_or_and_negated_groups() -> None:
    rich, active, neither = make_customer(total_spend=900), make_customer(), make_customer()
    happened(active, "page_viewed")
    either = {
        "operator": "OR",
        "conditions": [
            {"field": "total_spend", "operator": ">", "value": 500},
            {"event": "page_viewed", "operator": ">=", "value": 1},
        ],
    }

    assert matching(either) == {rich, active}
    assert matching({**either, "negate": True}) == {neither}


@pytest.mark.parametrize(
    ("rule", "path", "says"),
    [
        ({"event": 5}, "event", "not the name of an event"),
        ({"event": "page_viewed", "operator": "contains"}, "operator", "use one of =, !=, >"),
        ({"event": "page_viewed", "operator": ">", "value": "x"}, "value", "not a number"),
        ({"event": "page_viewed", "operator": ">", "value": 1.5}, "value", "not a whole number"),
        (
            {"event": "page_viewed", "operator": "between", "value": [1, "x"]},
            "value[1]",
            "not a number",
        ),
        (
            {"event": "page_viewed", "operator": ">", "value": 1, "within_days": -1},
            "within_days",
            "number of days",
        ),
        (
            {"event": "page_viewed", "operator": ">", "value": 1, "aggregate": "max:x"},
            "aggregate",
            "neither “count” nor “sum:”",
        ),
        (
            {"event": "order_placed", "operator": ">", "value": 1, "aggregate": "sum:category"},
            "aggregate",
            "cannot be summed",
        ),
        (
            {"event": "order_placed", "operator": ">", "value": 1, "where": "x"},
            "where",
            "list of conditions",
        ),
        (
            {"event": "order_placed", "operator": ">", "value": 1, "where": [{"field": "colour"}]},
            "where[0].field",
            "known are amount, product",
        ),
        (
            {
                "event": "order_placed",
                "operator": ">",
                "value": 1,
                "where": [{"field": "category", "operator": ">", "value": 1}],
            },
            "where[0].operator",
            'does not apply to text field "category"',
        ),
        ({"event": "page_viewed", "operator": ">", "value": 1, "days": 3}, "days", "not known"),
    ],
)
def test_an_invalid_value_is_refused_at_its_path(
    rule: dict[str, Any], path: str, says: str
) -> None:
    with pytest.raises(RuleError) as refused:
        compile_rules(all_of({"field": "city", "operator": "is_set"}, rule))

    errors = {error["path"]: error["message"] for error in refused.value.errors}
    assert says in errors[f"conditions[1].{path}"]


def test_a_rule_is_stored_in_its_shortest_form() -> None:
    given = {
        "event": "order_placed",
        "operator": ">=",
        "value": "2",
        "aggregate": "count",
        "within_days": "90",
        "where": [{"field": "amount", "operator": ">", "value": "10"}],
    }

    assert canonical(all_of(given))["conditions"] == [
        {
            "event": "order_placed",
            "operator": ">=",
            "value": 2,
            "within_days": 90,
            "where": [{"field": "amount", "operator": ">", "value": 10}],
        }
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            {"event": "message_opened", "operator": "=", "value": 0, "within_days": 60},
            "Customers who opened no message in the last 60 days",
        ),
        (
            {"event": "order_placed", "operator": ">=", "value": 2, "within_days": 180},
            "Customers who placed at least 2 orders in the last 180 days",
        ),
        (
            {
                "event": "order_placed",
                "aggregate": "sum:amount",
                "operator": ">=",
                "value": 500,
                "within_days": 90,
                "where": [{"field": "category", "operator": "=", "value": "Books"}],
            },
            "Customers who spent at least $500.00 in the category Books in the last 90 days",
        ),
        (
            {"event": "signed_up", "operator": ">", "value": 0},
            "Customers who did “signed up”",
        ),
    ],
)
def test_a_rule_has_a_description(rule: dict[str, Any], said: str) -> None:
    assert describe(all_of(rule)) == said


def test_event_types_include_custom_ones_with_properties() -> None:
    somebody = make_customer()
    happened(somebody, "signed_up", properties={"plan": "pro", "seats": 3})
    happened(somebody, "message_opened", properties={"channel": "email"})

    found = {each.name: each for each in event_types.in_use()}

    assert [each.name for each in event_types.known()] == list(found)[:-1]
    assert [each.name for each in found["signed_up"].properties] == ["plan", "seats"]
    assert "category" in [each.name for each in found["order_placed"].properties]
