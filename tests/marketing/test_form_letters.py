"""A template without tags renders on a fast path with the output of Liquid."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from liquid import BoundTemplate

from marketing.content.liquid import ContentError, compile_template, render
from marketing.content.liquid_limits import LimitedEnvironment, Template

ENVIRONMENTS = [LimitedEnvironment(autoescape=True), LimitedEnvironment()]
GIVEN: dict[str, Any] = {
    "name": "Ada <b>&\"'",
    "empty": "",
    "nobody": None,
    "yes": True,
    "money": Decimal("12.50"),
    "day": date(2027, 2, 1),
    "customer": {"tags": ["a", "<b>"], "attributes": {"size": 43, "deep": {"er": [1, {"x": "y"}]}}},
    "links": {1: "https://kindling.example/t/c/a", 2: "https://kindling.example/t/c/b?x=1&y"},
}
GAPS = [
    "name", "empty", "nobody", "yes", "money", "day", "customer", "customer.tags", "customer.tags[0]", "customer.tags[-1]",
    "customer.tags[9]", "customer.tags.x", "customer.tags.first", "customer.tags.size", "customer.tags.last",
    "customer.attributes.size", "customer.attributes.deep.er[1].x", 'customer["attributes"]', "customer[name]", "customer.none.at.all",
    "name.size", "name[0]", "name.first", "money.real", "links[1]", "links[2]", "links[3]", "unknown", "unknown.more",
    "name | upcase",
    'unknown | default: "there"', "name | escape", "customer.tags | join: '+'", "customer | json", "'words'", "12", "(1..3)",
    "nil", "true",
]  # fmt: skip


@given(st.sampled_from(ENVIRONMENTS), st.lists(st.sampled_from([*GAPS, ""])))
def test_the_fast_path_matches_liquid(env: LimitedEnvironment, gaps: list[str]) -> None:
    source = " <p>&\n".join(f"{{{{ {gap} }}}}" if gap else "words" for gap in gaps)
    template = env.from_string(source)
    assert isinstance(template, Template)
    assert template.render(**GIVEN) == BoundTemplate.render(template, **GIVEN)


def test_the_fast_path_limits_the_output() -> None:
    with pytest.raises(ContentError, match="limit"):
        render(compile_template("{{ name }}" * 5, html=False), {"name": "x" * 490_000})


def test_a_filter_error_has_its_line() -> None:
    with pytest.raises(ContentError) as caught:
        render(compile_template("Hi\n{{ 1 | divided_by: 0 }}", html=False), {})
    assert caught.value.line == 2
