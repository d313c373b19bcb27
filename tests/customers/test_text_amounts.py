"""Amounts are read as people of many countries write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.segments.from_text.phrase import tokens
from tests.customers.text_world import line, read

AMOUNTS = {
    "₹1,00,000": 100_000,
    "2,50,000": 250_000,
    "12,34,567 rupees": 1_234_567,
    "₹2 lakh": 200_000,
    "2.5 lakhs": 250_000,
    "2 crore rupees": 20_000_000,
    "1 000": 1_000,
    "100 000": 100_000,
    "1 500,50 kr": 1_500.5,
    "1\u202f000 €": 1_000,
    "1'500 CHF": 1_500,
    "CHF 1’000’000": 1_000_000,
    "1.500 €": 1_500,
    "1.234,56 €": 1_234.56,
    "1,234.56": 1_234.56,
    "1,500": 1_500,
    "$100k": 100_000,
    "100 k": 100_000,
    "2.5k": 2_500,
    "2,5k": 2_500,
    "€1.5m": 1_500_000,
    "a thousand": 1_000,
    "3 million yen": 3_000_000,
    "R$ 500": 500,
    "2000USD": 2_000,
    "2000 dollars": 2_000,
    "US$ 2,000": 2_000,
    "1500 PLN": 1_500,
    "500 quid": 500,
}


@pytest.mark.usefixtures("text_world")
@pytest.mark.django_db
def test_amounts_of_money_are_read_whole() -> None:
    for written, number in AMOUNTS.items():
        understood = read(f"people who spent over {written}")
        assert line(understood.rules) == f"total_spend > {number}", written
        assert not understood.unparsed, written


@pytest.mark.usefixtures("text_world")
@pytest.mark.django_db
def test_a_misgrouped_number_is_left_out_whole() -> None:
    for written in ("2,000,00", "1.2.3", "12,3456", "1,0000,00"):
        understood = read(f"people in Paris who spent over {written}")
        assert line(understood.rules) == "city = Paris", written
        assert written in understood.unparsed


@pytest.mark.usefixtures("text_world")
@pytest.mark.django_db
def test_another_currency_is_noted() -> None:
    assert "CHF is not converted" in read("spent over 1'500 CHF").explanation
    assert "not converted" not in read("spent over $1,500").explanation


@given(
    st.integers(min_value=1_000, max_value=10**12),
    st.sampled_from([",", ".", " ", "'", "\u00a0", "\u2009", "\u202f"]),
)
def test_a_grouped_number_is_one_word(number: int, separator: str) -> None:
    written = f"{number:,}".replace(",", separator)

    assert [token.word for token in tokens(f"over {written} euros")] == [
        "over",
        str(number),
        "euros",
    ]
