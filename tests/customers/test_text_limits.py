"""Descriptions and previews take bounded time, whatever they say."""

from __future__ import annotations

import json
import time

import pytest
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from customers.segments import LONGEST_DESCRIPTION, understand
from customers.segments.from_text import grammar
from customers.segments.previews import count
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

PIECES = [
    "(",
    "not ",
    "neither ",
    "either ",
    "except ",
    "but not ",
    "who ",
    "a ",
    "%",
    "$",
    "-",
    "9",
    "1,",
    "'",
    '"',
    "€",
    "\u202e",
    "last ",
    "in Paris or ",
]
RULES = {"operator": "AND", "conditions": [{"field": "city", "operator": "=", "value": "Paris"}]}

SLOW = RawSQL("pg_sleep(0.25) IS NULL", [], output_field=BooleanField())


@pytest.mark.parametrize("piece", PIECES)
def test_a_repeated_piece_is_read_in_bounded_time(piece: str) -> None:
    """Measured in CPU time of this thread: twenty times what it takes."""
    began = time.thread_time()
    understand((piece * LONGEST_DESCRIPTION)[:LONGEST_DESCRIPTION])
    assert time.thread_time() - began < 20


@hypothesis_settings(max_examples=30)
@given(st.lists(st.sampled_from(PIECES), max_size=120).map("".join))
def test_mixed_pieces_are_read_without_an_error(text: str) -> None:
    understand(text)


def test_a_description_of_many_words_matches_no_one() -> None:
    read = understand("%" * LONGEST_DESCRIPTION)
    assert (read.rules, read.unparsed) == (grammar.NO_ONE, ["%"])
    assert "Shorten it" in read.explanation


def test_a_preview_that_takes_too_long_is_a_problem(
    api: APIClient, staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let every statement of a preview take a quarter of a second, of which it has a tenth."""
    monkeypatch.setattr(count, "LONGEST_MS", 100)
    monkeypatch.setattr(count, "EXACT_WITHIN", 0.1)
    monkeypatch.setattr(count, "compile_rule", lambda *_given: SLOW)
    make_customer()
    monkeypatch.setattr(count, "EXACT_TO", -1)

    refused = api.post("/api/customers/preview", {"rules": RULES, "exact": True})
    assert refused.status_code == 400
    assert "in time" in refused.json()["errors"][0]["message"]
    page = staff_client.post(
        reverse("admin:customers_segment_preview"), {"rules": json.dumps(RULES)}
    )
    assert b"Simplify the rules" in page.content
