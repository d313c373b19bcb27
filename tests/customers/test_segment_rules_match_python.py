"""Random rules on random customers: the compiled query matches plain Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from customers.segments.language import rules as language
from customers.segments.membership import dependencies
from customers.segments.sql.compile import compile_rules
from tests.customers import segment_oracle as oracle
from tests.customers.segment_oracle import Event, Line, Person, Purchase

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXTS = ["Ada", "ada", "Berlin", "New York", "york", "a", "%", "_", "O'Hara", "100"]
PRODUCTS, CATEGORIES = ["Lamp", "Novel"], ["Books", "Home", ""]
COUNTRIES, SEGMENTS = ["DE", "GB"], ["vip", "new"]
CHANNELS = ["email", "sms", "whatsapp"]
NUMBERS = [0, 1, 2, 50, 99.99, 100, 2000]
AGES_IN_DAYS = [-2, 0, 1, 7, 29, 30, 31, 90, 365]
FREE: list[Any] = [None, "", "Ada", "2026-02-28", "2025-12-31T10:00", True, False, 0, 5, 2.5]
FREE += [[], ["Red", "blue"], [5, True], {}, {"a": 1}]

days = st.sampled_from([NOW.date() - timedelta(days=back) for back in AGES_IN_DAYS])
birthdays = st.sampled_from(
    [date(1990, 3, 1), date(1992, 2, 29), date(1980, 2, 28), date(2000, 3, 8)]
)
moments = st.sampled_from([NOW - timedelta(days=back) for back in AGES_IN_DAYS]) | st.sampled_from(
    [datetime(2026, 2, 28, 23, 30, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)]
)
money = st.sampled_from([Decimal(str(number)) for number in NUMBERS])
lines = st.builds(Line, st.sampled_from(PRODUCTS), st.sampled_from(CATEGORIES), money)
purchases = st.builds(Purchase, moments, st.lists(lines, max_size=2).map(tuple))
happenings = st.builds(
    Event,
    st.sampled_from(["signed_up", "message_opened"]),
    moments,
    st.dictionaries(st.sampled_from(["link", "times"]), st.sampled_from([*FREE, "2", "2.5"])),
)
attributes = st.dictionaries(st.sampled_from(["colour", "since"]), st.sampled_from(FREE))


def optional(strategies: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=strategies)


people = st.builds(
    Person,
    columns=optional(
        {
            **dict.fromkeys(
                ("first_name", "last_name", "city", "source"), st.sampled_from(["", *TEXTS])
            ),
            "phone": st.sampled_from(["", "+4930123456"]),
            "country": st.sampled_from(["", *COUNTRIES]),
            "lifecycle_status": st.sampled_from(["lead", "active", "churned"]),
            "total_spend": money,
            "average_order_value": st.none() | money,
            "order_count": st.sampled_from([0, 1, 50]),
            "visit_count": st.sampled_from([0, 1, 50]),
            "date_of_birth": st.none() | birthdays | days,
            **dict.fromkeys(sorted(oracle.MOMENTS), st.none() | moments),
            "tags": st.lists(st.sampled_from(["VIP", "vip", "staff"]), max_size=2),
            "attributes": attributes,
            "opted_out_channels": st.lists(st.sampled_from(CHANNELS), max_size=2, unique=True),
        }
    ),
    purchases=st.lists(purchases, max_size=2).map(tuple),
    happenings=st.lists(happenings, max_size=3).map(tuple),
    segments=st.frozensets(st.sampled_from(SEGMENTS)),
    suppressed=st.booleans(),
)


def conditions(
    fields: list[str], by_operator: dict[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(sorted(by_operator)).flatmap(
        lambda operator: st.fixed_dictionaries(
            {
                "field": st.sampled_from(fields),
                "operator": st.just(operator),
                "value": by_operator[operator],
            }
        )
    )


def sublists(values: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3)


def textual(values: list[Any]) -> dict[str, st.SearchStrategy[Any]]:
    one = st.sampled_from(values)
    alone = ("=", "!=", "contains", "not_contains", "starts_with", "ends_with")
    return {
        **dict.fromkeys(alone, one),
        **dict.fromkeys(("in", "not_in"), sublists(values)),
        **PRESENT,
    }


def listed(values: list[Any]) -> dict[str, st.SearchStrategy[Any]]:
    each = dict.fromkeys(("contains_any", "contains_all", "contains_none"), sublists(values))
    return {"contains": st.sampled_from(values), **each, **PRESENT}


PRESENT: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(("is_set", "is_not_set"), st.none())
COMPARED = dict.fromkeys(("=", "!=", ">", ">=", "<", "<="), st.sampled_from(NUMBERS))
NUMERIC = {
    **COMPARED,
    "between": st.lists(st.sampled_from(NUMBERS), min_size=2, max_size=2).map(sorted),
    **PRESENT,
}
WHOLE = {
    **dict.fromkeys(COMPARED, st.sampled_from([0, 1, 2, 34, 50])),
    "between": st.just([1, 50]),
    **PRESENT,
}
written_days = days.map(str)
COUNTED_DAYS = dict.fromkeys(
    ("in_last_days", "inactive_days"), st.sampled_from([0, 1, 7, 30, 36500])
)
ANNIVERSARY = {"anniversary_in_days": st.sampled_from([0, 1, 7, 30, 366])}
ON_DAYS = {**dict.fromkeys(("before", "after", "on"), written_days), **COUNTED_DAYS}
BETWEEN_DAYS = {"between": st.lists(written_days, min_size=2, max_size=2).map(sorted)}
FREE_ONES: list[Any] = ["Ada", "ad", "red", "true", "5", True, 5, 2.5]
FREE_TEXTS = ["Ada", "ad", "red", "2"]

attribute_rules = st.one_of(
    conditions(["first_name", "last_name", "name", "city", "source", "email"], textual(TEXTS)),
    conditions(["phone"], textual(["+4930123456", "+49", "6"])),
    conditions(["country"], {key: st.sampled_from(COUNTRIES) for key in ("=", "!=")} | PRESENT),
    conditions(["lifecycle_status"], textual(["lead", "active", "churned", "inactive"])),
    conditions(["total_spend", "average_order_value"], NUMERIC),
    conditions(["order_count", "visit_count", "age"], WHOLE),
    conditions(["date_of_birth"], {**ON_DAYS, **ANNIVERSARY, **BETWEEN_DAYS, **PRESENT}),
    conditions(sorted(oracle.MOMENTS), {**ON_DAYS, **BETWEEN_DAYS, **PRESENT}),
    conditions(["tags"], listed(["vip", "STAFF", "other"])),
    conditions(["purchased_categories"], listed(["books", "Home"])),
    conditions(["purchased_products"], listed(["lamp", "Novel", "lamp/books"])),
    conditions(["subscribed"], listed(CHANNELS)),
    conditions(["segment"], listed(SEGMENTS)),
    conditions(
        ["attributes.colour", "attributes.since"],
        {
            **dict.fromkeys(("=", "!=", "contains"), st.sampled_from(FREE_ONES)),
            **dict.fromkeys(
                ("in", "not_in", "contains_any", "contains_all", "contains_none"),
                sublists(FREE_ONES),
            ),
            **dict.fromkeys(
                ("not_contains", "starts_with", "ends_with"), st.sampled_from(FREE_TEXTS)
            ),
            **dict.fromkeys((">", ">=", "<", "<="), st.sampled_from([0, 2, 5])),
            **ON_DAYS,
            **PRESENT,
        },
    ),
)

ORDER_PLACES = st.one_of(
    conditions(["amount"], NUMERIC),
    conditions(["product"], textual(PRODUCTS)),
    conditions(["category"], textual(["Books", "home"])),
)
EVENT_PLACES = conditions(
    ["link", "times"],
    {
        **dict.fromkeys(("=", "!=", "contains"), st.sampled_from(FREE_ONES)),
        **dict.fromkeys((">", "<="), st.sampled_from([0, 2, 5])),
        **PRESENT,
    },
)
FIGURES = st.sampled_from([("=", 0), ("=", 1), ("!=", 0), ("!=", 1), (">", 0), (">=", 1)])
FIGURES |= st.sampled_from([(">=", 2), ("<", 1), ("<", 2), ("<=", 0), ("<=", 2), (">=", 100)])
FIGURES |= st.sampled_from([("between", [0, 1]), ("between", [1, 50])])


def behaviours(
    event: str, aggregates: list[str], places: st.SearchStrategy[dict[str, Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda figure, more: {"event": event, "operator": figure[0], "value": figure[1], **more},
        FIGURES,
        optional(
            {
                "aggregate": st.sampled_from(["count", *aggregates]),
                "within_days": st.sampled_from([0, 1, 7, 30, 365]),
                "where": st.lists(places, max_size=2),
            }
        ),
    )


behaviour_rules = st.one_of(
    behaviours("order_placed", ["sum:amount"], ORDER_PLACES),
    behaviours("message_opened", [], EVENT_PLACES.filter(lambda rule: rule["field"] != "link")),
    behaviours("signed_up", ["sum:times"], EVENT_PLACES),
)


def groups(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"operator": st.sampled_from(["AND", "OR"]), "conditions": st.lists(inner, max_size=3)},
        optional={"negate": st.booleans()},
    )


rules = groups(st.recursive(attribute_rules | behaviour_rules, groups, max_leaves=5))


@settings(
    max_examples=250,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(people, min_size=1, max_size=3), st.lists(rules, min_size=1, max_size=8))
def test_the_query_matches_plain_python(crowd: list[Person], asked: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        for person in crowd:
            person.columns.pop("email", None)
        keys = [_saved(person) for person in crowd]
        for rule in asked:
            found = _found(compile_rules(rule, now=NOW))
            assert found == _found(compile_rules(rule, now=NOW, among=keys))
            assert found & set(keys[:1]) == _found(compile_rules(rule, now=NOW, among=keys[:1]))
            meant = {
                key
                for key, person in zip(keys, crowd, strict=True)
                if oracle.matches(rule, person, NOW)
            }
            assert found == meant, language.dump(language.parse(rule))
        transaction.set_rollback(True)


MOMENTS_LATER = [
    timedelta(seconds=1),
    timedelta(hours=13),
    timedelta(days=1),
    timedelta(days=2, hours=5),
    timedelta(days=31),
]


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(people, min_size=1, max_size=3),
    st.lists(rules, min_size=1, max_size=6),
    st.sampled_from(MOMENTS_LATER),
)
def test_window_crossings_include_every_changed_customer(
    crowd: list[Person], asked: list[dict[str, Any]], gap: timedelta
) -> None:
    later = NOW + gap
    with transaction.atomic():
        for person in crowd:
            person.columns.pop("email", None)
            _saved(person)
        for rule in asked:
            before, after = (_found(compile_rules(rule, now=at)) for at in (NOW, later))
            looked_at = _found(dependencies.crossed_windows(language.parse(rule), NOW, later))
            assert before ^ after <= looked_at, rule
        transaction.set_rollback(True)


def _found(condition: Q) -> set[int]:
    return set(Customer.objects.filter(condition).values_list("pk", flat=True))


def _saved(person: Person) -> int:
    customer = person.save()
    person.columns["email"] = customer.email
    return customer.pk


@given(rules)
def test_a_stored_rule_keeps_its_meaning(rule: dict[str, Any]) -> None:
    stored = language.canonical(rule)

    assert language.canonical(stored) == stored
