"""Unparsed words, assumptions and corrected spelling are all reported."""

from __future__ import annotations

import pytest

from customers.models import Customer
from customers.segments.sql.compile import compile_rules
from tests.customers.text_world import line, read
from tests.factories.customers import make_customer

pytestmark = [pytest.mark.usefixtures("text_world"), pytest.mark.django_db]


@pytest.mark.parametrize(
    ("phrase", "rules", "unparsed"),
    [
        ("people who only bought Books", "purchased_categories contains Books", ["only"]),
        ("hasn't opened the last campaign", "message_opened = 0", ["last", "campaign"]),
        ("ordered on a weekend", "order_count >= 1", ["weekend"]),
        ("VIPs with a purple cat", "tags contains vip", ["purple", "cat"]),
        ("left-handed customers in Paris", "city = Paris", ["left", "handed"]),
        ("customers near Paris", "city = Paris", ["near"]),
    ],
)
def test_unused_words_are_listed(phrase: str, rules: str, unparsed: list[str]) -> None:
    understood = read(phrase)

    assert line(understood.rules) == rules
    assert understood.unparsed == unparsed
    assert all(f"“{word}”" in understood.explanation for word in unparsed)


@pytest.mark.parametrize(
    "phrase", ["asdf qwer", "500", "spent the most", "nobody", "", "Europeans"]
)
def test_an_unknown_description_matches_no_one(phrase: str) -> None:
    understood = read(phrase)

    assert not Customer.objects.filter(compile_rules(understood.rules)).exists()
    assert "Nothing of this was understood" in understood.explanation


@pytest.mark.parametrize(
    ("phrase", "told"),
    [
        ("bought at least twice in 6 months", "“6 months” is counted as 180 days."),
        ("likely to churn", "“likely to churn” is read as a churn risk of at least 0.7."),
        ("loyal customers", "is read as at least 5 orders."),
        ("big spenders", "The top 20 % by spend have spent at least 900"),
        ("French customers over 40", "A number alone is read as age."),
        ("spent $500", "without a comparison is read as at least that much."),
        ("customers who recently visited", "“Recently” is read as in the last 30 days."),
        ("joined before 03/04/2025", "“03/04/2025” is read as 4 Mar 2025."),
        ("tagged platinum plus", "No customer has “platinum” yet."),
        ("living in Timbuktu", "No customer lives in “Timbuktu” yet."),
    ],
)
def test_assumptions_are_explained(phrase: str, told: str) -> None:
    assert told in read(phrase).explanation


@pytest.mark.parametrize(
    ("phrase", "rules", "told"),
    [
        ("Custmers who bougth Books", "purchased_categories contains Books", "“bougth” is read as “bought”."),
        ("people in Pariss", "city = Paris", "“Pariss” is read as “Paris”."),
        ("custmers in Belrin", "city = Berlin", "“Belrin” is read as “Berlin”."),
    ],
)  # fmt: skip
def test_a_misspelled_word_is_corrected_and_explained(phrase: str, rules: str, told: str) -> None:
    understood = read(phrase)

    assert line(understood.rules) == rules
    assert told in understood.explanation
    assert understood.unparsed == []


def test_an_unknown_place_is_not_corrected_to_another_word() -> None:
    make_customer(city="Nice")

    assert read("a nice list of customers").unparsed == ["nice"]
    assert line(read("customers in Nice").rules) == "city = Nice"
