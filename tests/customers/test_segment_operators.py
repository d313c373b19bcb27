"""Every operator on every field, above all for customers without a value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from customers.models import Customer
from customers.segments.language import fields
from customers.segments.language.fields import OPERATORS, Field, FieldType
from customers.segments.language.rules import RuleError, parse
from customers.segments.sql.compile import compile_rules
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MATCHES_NO_VALUE = {
    "!=", "not_contains", "not_in", "contains_none", "inactive_days", "is_not_set",
}  # fmt: skip
NEVER_EMPTY = {"lifecycle_status", "total_spend", "order_count", "visit_count"}
A_VALUE: dict[FieldType, Any] = {
    FieldType.TEXT: "a",
    FieldType.CHOICE: "lead",
    FieldType.NUMBER: 1,
    FieldType.MONEY: 1,
    FieldType.INTEGER: 1,
    FieldType.DATE: "2026-01-31",
    FieldType.LIST: "email",
    FieldType.ANY: "a",
}
NEEDED: dict[str, Any] = {
    **dict.fromkeys(("in_last_days", "inactive_days", "anniversary_in_days"), 7),
    **dict.fromkeys((">", ">=", "<", "<="), 1),
    **dict.fromkeys(("before", "after", "on"), "2026-01-31"),
    **dict.fromkeys(("is_set", "is_not_set"), None),
}
ALL = [*fields.known(), Field("attributes.anything", FieldType.ANY, "anything")]
PAIRS = [
    pytest.param(field, operator, id=f"{field.name} {operator}")
    for field in ALL
    if field.name not in NEVER_EMPTY
    for operator in OPERATORS[field.type]
]


def named(name: str) -> Field:
    field = fields.find(name)
    assert field
    return field


def a_rule(field: Field, operator: str, value: Any = None) -> dict[str, Any]:
    return {
        "operator": "AND",
        "conditions": [{"field": field.name, "operator": operator, "value": value}],
    }


def a_value(field: Field, operator: str) -> Any:
    one = NEEDED.get(operator, "DE" if field.name == "country" else A_VALUE[field.type])
    if operator == "between":
        one = 1 if field.type is FieldType.ANY else one
        return [one, one]
    return [one] if operator in {"in", "not_in"} or operator.startswith("contains_") else one


def found(rules: dict[str, Any]) -> set[int]:
    return set(Customer.objects.filter(compile_rules(rules, now=NOW)).values_list("pk", flat=True))


@pytest.mark.parametrize(("field", "operator"), PAIRS)
def test_only_negative_operators_match_missing_values(field: Field, operator: str) -> None:
    nobody = make_customer(email=None, external_id="x", first_name="")
    if field.name == "external_id":
        Customer.objects.filter(pk=nobody.pk).update(email="x@example.com", external_id=None)

    matched = nobody.pk in found(a_rule(field, operator, a_value(field, operator)))

    assert matched is (operator in MATCHES_NO_VALUE)


@pytest.mark.parametrize(
    "field",
    [field for field in ALL if field.type is not FieldType.ANY],
    ids=lambda field: field.name,
)
def test_an_operator_of_another_type_is_refused(field: Field) -> None:
    for operator in {each for known in OPERATORS.values() for each in known} - set(
        OPERATORS[field.type]
    ):
        with pytest.raises(RuleError) as refused:
            parse(a_rule(field, operator, 1))
        (error,) = refused.value.errors
        assert error["path"] == "conditions[0].operator"
        assert (
            f'does not apply to {field.type} field "{field.name}"; use one of' in error["message"]
        )


def test_text_ignores_case_and_wildcards_are_literal() -> None:
    ada = make_customer(city="New York")
    per_cent = make_customer(city="100% York")

    def by(operator: str, value: str) -> set[int]:
        return found(a_rule(named("city"), operator, value))

    assert by("=", "NEW YORK") == {ada.pk}
    assert by("contains", "york") == {ada.pk, per_cent.pk}
    assert by("contains", "%") == {per_cent.pk}
    assert by("starts_with", "new_") == set()


@pytest.mark.parametrize(
    ("operator", "value", "ages"),
    [
        ("in_last_days", 30, {0, 29, 30}),
        ("inactive_days", 30, {31, 90, None}),
        ("before", "2026-01-30", {31, 90}),
        ("on", "2026-01-30", {30}),
        ("after", "2026-01-30", {-1, 0, 29}),
        ("between", ["2026-01-29", "2026-01-30"], {30, 31}),
    ],
)
def test_days_count_to_the_second_and_dates_are_whole_days(
    operator: str, value: Any, ages: set[int | None]
) -> None:
    people = {
        make_customer(last_order_at=None if age is None else NOW - timedelta(days=age)).pk: age
        for age in (-1, 0, 29, 30, 31, 90, None)
    }

    assert {people[pk] for pk in found(a_rule(named("last_order_at"), operator, value))} == ages


@pytest.mark.parametrize(
    ("today", "days", "matched"),
    [
        (date(2026, 2, 28), 0, True),  # a common year keeps the 29th on the 28th
        (date(2028, 2, 28), 0, False),
        (date(2028, 2, 29), 0, True),
        (date(2025, 12, 30), 60, True),  # over the turn of the year
        (date(2026, 3, 1), 30, False),
    ],
)
def test_a_birthday_falls_on_29_february(today: date, days: int, matched: bool) -> None:
    born = make_customer(date_of_birth=date(1992, 2, 29))
    rules = a_rule(named("date_of_birth"), "anniversary_in_days", days)
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)

    found_then = Customer.objects.filter(compile_rules(rules, now=noon))

    assert (born in found_then) is matched


def test_a_country_matches_by_name_or_code() -> None:
    german = make_customer(country="DE")
    make_customer(country="FR")

    for given in ("Germany", "DE", "de"):
        assert found(a_rule(named("country"), "=", given)) == {german.pk}


def test_an_empty_group_matches_all_for_and_none_for_or() -> None:
    somebody = make_customer()

    assert found({"operator": "AND", "conditions": []}) == {somebody.pk}
    assert found({"operator": "OR", "conditions": []}) == set()
    assert found({"operator": "or", "conditions": [], "negate": True}) == {somebody.pk}
